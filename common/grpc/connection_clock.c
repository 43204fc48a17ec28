// Each row of the table below tells when something is due, from what is kept in the connection, and what
// happens then. Asking all of them is cheap and rare: when the timer fires, and when a connection begins or
// is drained.
#include "common/grpc/connection_clock.h"

#include "common/base/random.h"
#include "common/grpc/call_internal.h"
#include "common/grpc/connection.h"

enum { DRAIN_TIMEOUT_MS = 5000, JITTER_DIVISOR = 10 };

#define NEVER UINT64_MAX

static const uint8_t keepalive_ping[8] = {'a', 'l', 'i', 'v', 'e', '?'};

static uint64_t after_ms(uint64_t ns, int64_t ms) {
    return ns + (uint64_t)ms * 1000000;
}

// Of something that a setting of 0 turns off.
static uint64_t after_setting(uint64_t ns, int64_t ms) {
    return ms > 0 ? after_ms(ns, ms) : NEVER;
}

static const struct grpc_server_settings *settings_of(const struct grpc_connection *connection) {
    return &connection->home->server->settings;
}

static uint64_t get_preface_ns(const struct grpc_connection *connection) {
    return connection->has_preface
               ? NEVER
               : after_ms(connection->opened_ns, settings_of(connection)->preface_timeout_ms);
}

static bool on_preface_due(struct grpc_connection *connection) {
    connection_close(connection, GRPC_CLOSE_PREFACE_TIMEOUT, STREAM_CLOSE_NOW);
    return false;
}

static uint64_t get_headers_ns(const struct grpc_connection *connection) {
    return connection->headers_ns == 0
               ? NEVER
               : after_ms(connection->headers_ns, settings_of(connection)->preface_timeout_ms);
}

static bool on_headers_due(struct grpc_connection *connection) {
    connection_close(connection, GRPC_CLOSE_HEADER_TIMEOUT, STREAM_CLOSE_NOW);
    return false;
}

static uint64_t get_first_call_ns(const struct grpc_connection *connection) {
    if (connection->has_had_call || connection->is_draining)
        return NEVER;
    return after_setting(connection->opened_ns, settings_of(connection)->idle_timeout_ms);
}

static bool on_first_call_due(struct grpc_connection *connection) {
    connection_drain(connection, GRPC_CLOSE_IDLE_TIMEOUT);
    return true;
}

static uint64_t get_idle_ns(const struct grpc_connection *connection) {
    if (!connection->has_had_call || connection->calls || connection->is_draining)
        return NEVER;
    return after_setting(connection->last_call_ns, settings_of(connection)->max_idle_ms);
}

static bool on_idle_due(struct grpc_connection *connection) {
    connection_drain(connection, GRPC_CLOSE_MAX_IDLE);
    return true;
}

static uint64_t get_age_ns(const struct grpc_connection *connection) {
    bool has_end = connection->max_age_ns > 0 && !connection->is_draining;
    return has_end ? connection->opened_ns + connection->max_age_ns : NEVER;
}

static bool on_age_due(struct grpc_connection *connection) {
    connection_drain(connection, GRPC_CLOSE_MAX_AGE);
    return true;
}

static uint64_t get_age_grace_ns(const struct grpc_connection *connection) {
    if (!connection->is_draining || connection->drain_reason != GRPC_CLOSE_MAX_AGE)
        return NEVER;
    return after_setting(connection->drain_ns, settings_of(connection)->max_age_grace_ms);
}

static bool on_age_grace_due(struct grpc_connection *connection) {
    connection_close(connection, GRPC_CLOSE_MAX_AGE, STREAM_CLOSE_FLUSH);
    return false;
}

static uint64_t get_drain_ns(const struct grpc_connection *connection) {
    bool is_waiting = connection->is_draining && !connection->is_final;
    return is_waiting ? after_ms(connection->drain_ns, DRAIN_TIMEOUT_MS) : NEVER;
}

static bool on_drain_due(struct grpc_connection *connection) {
    connection_end_drain(connection);
    return true;
}

// Bytes of any kind are an answer.
static bool has_open_ping(const struct grpc_connection *connection) {
    return connection->ping_ns > connection->read_ns;
}

static uint64_t get_keepalive_ns(const struct grpc_connection *connection) {
    if (has_open_ping(connection))
        return NEVER;
    return after_setting(connection->read_ns, settings_of(connection)->keepalive_time_ms);
}

static bool on_keepalive_due(struct grpc_connection *connection) {
    connection->ping_ns = loop_get_monotonic_ns(connection->home->loop);
    (void)nghttp2_submit_ping(connection->session, NGHTTP2_FLAG_NONE, keepalive_ping);
    connection_schedule(connection);
    return true;
}

static uint64_t get_ping_answer_ns(const struct grpc_connection *connection) {
    bool is_waiting = has_open_ping(connection);
    return is_waiting ? after_ms(connection->ping_ns, settings_of(connection)->keepalive_timeout_ms) : NEVER;
}

static bool on_ping_answer_due(struct grpc_connection *connection) {
    connection_close(connection, GRPC_CLOSE_KEEPALIVE_TIMEOUT, STREAM_CLOSE_NOW);
    return false;
}

// Requests of one message that are not complete. A stream is its handler's to limit.
static uint64_t get_request_due_ns(const struct grpc_call *call) {
    return call->state == CALL_WAITING
               ? after_setting(call->started_ns, settings_of(call->connection)->request_timeout_ms)
               : NEVER;
}

static uint64_t get_request_ns(const struct grpc_connection *connection) {
    uint64_t first_ns = NEVER;
    for (const struct grpc_call *call = connection->calls; call; call = call->next) {
        uint64_t due_ns = get_request_due_ns(call);
        first_ns = due_ns < first_ns ? due_ns : first_ns;
    }
    return first_ns;
}

static bool on_request_due(struct grpc_connection *connection) {
    uint64_t now_ns = loop_get_monotonic_ns(connection->home->loop);
    for (struct grpc_call *call = connection->calls, *next; call; call = next) {
        next = call->next;
        if (get_request_due_ns(call) <= now_ns)
            call_overrule(call, STATUS_DEADLINE_EXCEEDED, "REQUEST_TIMEOUT",
                          "the request has not arrived in time");
    }
    return true;
}

// Answers that are complete and wait for a window which the client does not open. A handler that waits for
// room is another thing: its client may be slow for as long as it likes.
static bool has_waiting_answer(const struct grpc_connection *connection) {
    if (connection->unread_bytes == 0)
        return false;
    for (const struct grpc_call *call = connection->calls; call; call = call->next)
        if (call->state == CALL_ANSWERED && call->out_first)
            return true;
    return false;
}

// Whatever leaves, on any stream, is progress.
static uint64_t get_stall_ns(const struct grpc_connection *connection) {
    bool is_waiting = connection->moved_ns > 0 && has_waiting_answer(connection);
    return is_waiting ? after_ms(connection->moved_ns, settings_of(connection)->write_stall_timeout_ms)
                      : NEVER;
}

static bool on_stall_due(struct grpc_connection *connection) {
    connection_close(connection, GRPC_CLOSE_WRITE_STALLED, STREAM_CLOSE_NOW);
    return false;
}

static const struct {
    uint64_t (*get_due_ns)(const struct grpc_connection *connection);
    bool (*on_due)(struct grpc_connection *connection); // changes what is due; false: the connection is gone
} rows[] = {
    {get_preface_ns, on_preface_due},
    {get_headers_ns, on_headers_due},
    {get_first_call_ns, on_first_call_due},
    {get_request_ns, on_request_due},
    {get_idle_ns, on_idle_due},
    {get_age_ns, on_age_due},
    {get_age_grace_ns, on_age_grace_due},
    {get_drain_ns, on_drain_due},
    {get_keepalive_ns, on_keepalive_due},
    {get_ping_answer_ns, on_ping_answer_due},
    {get_stall_ns, on_stall_due},
};

// Arms the timer for `due_ns` unless it fires before.
static void expect(struct grpc_connection *connection, uint64_t due_ns) {
    if (due_ns >= connection->armed_ns)
        return;
    connection->armed_ns = due_ns;
    loop_arm_timer(connection->home->loop, &connection->timer, due_ns);
}

void connection_clock_look(struct grpc_connection *connection) {
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        expect(connection, rows[i].get_due_ns(connection));
}

static void on_timer(struct timer *timer) {
    struct grpc_connection *connection = CONTAINER_OF(timer, struct grpc_connection, timer);
    uint64_t now_ns = loop_get_monotonic_ns(connection->home->loop);
    connection->armed_ns = NEVER;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        if (rows[i].get_due_ns(connection) <= now_ns && !rows[i].on_due(connection))
            return;
    connection_clock_look(connection);
}

// Connections that were made together do not end together.
static uint64_t draw_max_age_ns(int64_t max_age_ms) {
    uint64_t age_ns = (uint64_t)max_age_ms * 1000000, tenth_ns = age_ns / JITTER_DIVISOR;
    return age_ns > 0 ? age_ns - tenth_ns + random_get_u64() % (2 * tenth_ns + 1) : 0;
}

void connection_clock_start(struct grpc_connection *connection) {
    connection->opened_ns = connection->read_ns = loop_get_monotonic_ns(connection->home->loop);
    connection->max_age_ns = draw_max_age_ns(settings_of(connection)->max_age_ms);
    connection->timer.on_due = on_timer;
    connection->armed_ns = NEVER;
    connection_clock_look(connection);
}

void connection_clock_stop(struct grpc_connection *connection) {
    loop_disarm_timer(connection->home->loop, &connection->timer);
}

void connection_clock_note_read(struct grpc_connection *connection) {
    bool is_answer = has_open_ping(connection);
    connection->read_ns = loop_get_monotonic_ns(connection->home->loop);
    if (is_answer)
        expect(connection, get_keepalive_ns(connection));
    if (connection->has_open_headers == (connection->headers_ns > 0))
        return;
    connection->headers_ns = connection->has_open_headers ? connection->read_ns : 0;
    expect(connection, get_headers_ns(connection));
}

void connection_clock_note_call(struct grpc_connection *connection) {
    const struct grpc_call *call = connection->calls;
    expect(connection, after_setting(call->started_ns, settings_of(connection)->request_timeout_ms));
}

// The time begins anew when the turn ends: what waited before was its handler's, and allowed to.
void connection_clock_note_answer(struct grpc_connection *connection) {
    connection->moved_ns = 0;
}

void connection_clock_note_written(struct grpc_connection *connection) {
    if (connection->unread_bytes == 0) {
        connection->moved_ns = 0;
        return;
    }
    if (connection->moved_ns > 0 && connection->moved_frames == connection->sent_frames)
        return;
    connection->moved_frames = connection->sent_frames;
    connection->moved_ns = loop_get_monotonic_ns(connection->home->loop);
    expect(connection, after_ms(connection->moved_ns, settings_of(connection)->write_stall_timeout_ms));
}

void connection_clock_note_idle(struct grpc_connection *connection) {
    if (settings_of(connection)->max_idle_ms == 0)
        return;
    connection->last_call_ns = loop_get_monotonic_ns(connection->home->loop);
    expect(connection, get_idle_ns(connection));
}
