#include "common/grpc/connection_shed.h"

#include "common/grpc/connection.h"

void connection_shed_look(struct grpc_loop *home) {
    load_shed_look(&home->shed, loop_get_turn(home->loop), loop_get_lag_ns(home->loop));
}

static const struct header_fields *get_answer(const struct grpc_connection *connection) {
    return &connection->home->server->shed_answers.of[connection->content_type];
}

bool connection_shed_begin(struct grpc_connection *connection, int32_t stream_id) {
    if (get_answer(connection)->count == 0)
        return false;
    connection->shed.stream_id = stream_id;
    connection->shed.is_of_type = false;
    connection->shed.has_refused = true;
    connection->excused_resets++;
    stats_add(&connection->home->stats.calls_started, 1);
    stats_add(&connection->home->stats.calls_shed, 1);
    return true;
}

void connection_shed_add_field(struct grpc_connection *connection, struct bytes name, struct bytes value) {
    if (bytes_is_equal(name, BYTES_LITERAL("content-type")))
        connection->shed.is_of_type = content_type_parse(value) == connection->content_type;
}

// why a reset where it is of another type than those before: REFUSED_STREAM says in every protocol that
// nothing was done.
void connection_shed_answer(struct grpc_connection *connection) {
    const struct header_fields *answer = get_answer(connection);
    int32_t stream_id = connection->shed.stream_id;
    connection->shed.stream_id = 0;
    int result =
        connection->shed.is_of_type
            ? nghttp2_submit_response(connection->session, stream_id, answer->rows, answer->count, NULL)
            : nghttp2_submit_rst_stream(connection->session, NGHTTP2_FLAG_NONE, stream_id,
                                        NGHTTP2_REFUSED_STREAM);
    if (result != 0)
        connection_condemn(connection, GRPC_CLOSE_NO_MEMORY);
}
