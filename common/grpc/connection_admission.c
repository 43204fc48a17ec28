#include "common/grpc/connection_admission.h"

#include "common/base/log.h"
#include "common/grpc/connection.h"

static struct admission_sample get_sample(const struct grpc_loop *home, uint64_t now_ns) {
    return (struct admission_sample){.at_ns = now_ns,
                                     .busy_ns = loop_get_busy_ns(home->loop),
                                     .calls = home->stats.calls_started,
                                     .refused = home->stats.calls_shed};
}

static size_t send_away(struct grpc_loop *home, double part) {
    struct admission_list list = {0};
    for (struct grpc_connection *connection = home->connections; connection; connection = connection->next)
        if (!connection->is_draining && !connection->is_condemned)
            admission_list_add(&list, &home->admission, connection, &connection->admission);
    size_t sent = admission_list_count_sent(&list, part);
    for (size_t i = 0; i < sent; i++)
        connection_leave(list.rows[i].owner, GRPC_CLOSE_OVERLOAD);
    return sent;
}

static void tell(const struct grpc_loop *home, bool was_wary) {
    bool is_wary = home->admission.wary_until_ns > 0;
    if (is_wary == was_wary)
        return;
    connection_balance_set_wary(home->server->balance, loop_get_index(home->loop), is_wary);
    const struct log_field fields[] = {
        LOG_INTEGER("loop", loop_get_index(home->loop)), LOG_INTEGER("connections", home->connection_count),
        LOG_INTEGER("sent_away", home->stats.connections_closed[GRPC_CLOSE_OVERLOAD]),
        LOG_INTEGER("not_admitted", home->stats.connections_closed[GRPC_CLOSE_NOT_ADMITTED])};
    if (is_wary)
        log_write(LOG_LEVEL_WARNING, "a loop is overloaded and sends connections away", fields,
                  ARRAY_LENGTH(fields));
    else
        log_write(LOG_LEVEL_INFO, "a loop admits every connection again", fields, ARRAY_LENGTH(fields));
}

static void look(struct grpc_loop *home) {
    uint64_t now_ns = loop_get_monotonic_ns(home->loop);
    if (!admission_is_due(&home->admission, now_ns))
        return;
    bool was_wary = home->admission.wary_until_ns > 0;
    struct admission_sample now = get_sample(home, now_ns);
    double part = admission_get_part(&home->admission, &now);
    size_t sent = part < 1 ? send_away(home, part) : 0;
    admission_begin_period(&home->admission, &now, sent, home->connection_count);
    tell(home, was_wary);
}

void connection_admission_note_read(struct grpc_connection *connection, size_t bytes) {
    admission_note_bytes(&connection->home->admission, &connection->admission, bytes);
    look(connection->home);
}

bool connection_admission_permits(struct grpc_loop *home) {
    look(home);
    return admission_may_come(&home->admission);
}
