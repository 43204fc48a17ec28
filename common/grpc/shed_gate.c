#include "common/grpc/shed_gate.h"

#include <string.h>

enum {
    PREFACE_BYTES = 24,
    DATA_BYTES_MAX = 16384, // of a frame
    BLOCK_BYTES_MAX =
        1024, // what else is to be said of a header block (connection_frames.c) is said of longer ones
};

void shed_gate_init(struct shed_gate *gate) {
    *gate = (struct shed_gate){.payload_left = PREFACE_BYTES};
}

// ---- HPACK, RFC 7541 ----

// 5.1; false where it is cut or absurd.
static bool skip_integer(struct bytes *block, unsigned prefix_bits, size_t *ret_value) {
    enum { SHIFT_MAX = 14 }; // 2 MiB: more than a frame
    if (block->len == 0)
        return false;
    size_t prefix_max = (1u << prefix_bits) - 1, value = block->data[0] & prefix_max;
    *block = bytes_of(block->data + 1, block->len - 1);
    for (unsigned shift = 0, more = value == prefix_max; more; shift += 7) {
        if (block->len == 0 || shift > SHIFT_MAX)
            return false;
        uint8_t byte = block->data[0];
        value += (size_t)(byte & 0x7f) << shift;
        more = byte & 0x80;
        *block = bytes_of(block->data + 1, block->len - 1);
    }
    *ret_value = value;
    return true;
}

static bool skip_string(struct bytes *block) {
    size_t len;
    if (!skip_integer(block, 7, &len) || len > block->len)
        return false;
    *block = bytes_of(block->data + len, block->len - len);
    return true;
}

// 6.2.2 and 6.2.3: a literal that is not put into the table.
static bool skip_literal(struct bytes *block) {
    size_t index;
    return skip_integer(block, 4, &index) && (index > 0 || skip_string(block)) && skip_string(block);
}

bool shed_gate_is_stateless(struct bytes block) {
    enum { INDEXED = 0x80, INDEXING_OR_UPDATE = 0x60 };
    size_t index;
    while (block.len > 0) {
        uint8_t first = block.data[0];
        bool is_whole = first & INDEXED              ? skip_integer(&block, 7, &index)
                        : first & INDEXING_OR_UPDATE ? false
                                                     : skip_literal(&block);
        if (!is_whole)
            return false;
    }
    return true;
}

// ---- frames ----

struct head {
    uint32_t length;
    uint8_t type, flags;
    int32_t stream;
};

static struct head parse_head(const uint8_t *at) {
    return (struct head){
        (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2], at[3], at[4],
        (int32_t)((uint32_t)(at[5] & 0x7f) << 24 | (uint32_t)at[6] << 16 | (uint32_t)at[7] << 8 | at[8])};
}

void shed_gate_set_stream(uint8_t *head, int32_t stream) {
    uint32_t number = (uint32_t)stream;
    head[5] = (uint8_t)(number >> 24);
    head[6] = (uint8_t)(number >> 16);
    head[7] = (uint8_t)(number >> 8);
    head[8] = (uint8_t)number;
}

// What is handed on in one piece.
struct run {
    nghttp2_session *session;
    const uint8_t *begin;
    ssize_t error; // 0 = none
};

static void feed(struct run *run, const uint8_t *data, size_t len) {
    if (len == 0 || run->error < 0)
        return;
    ssize_t taken = nghttp2_session_mem_recv(run->session, data, len);
    if (taken < 0)
        run->error = taken;
}

// Hands on what stands before `end`; the run then begins at `begin`.
static void cut(struct run *run, const uint8_t *end, const uint8_t *begin) {
    feed(run, run->begin, (size_t)(end - run->begin));
    run->begin = begin;
}

// RENAME: shown as one of the closed stream. DROP: not shown, but for its length if it is DATA.
enum fate { PASS, RENAME, DROP };

static void remember_shed(struct shed_gate *gate, int32_t stream) {
    if (gate->first_shed == 0)
        gate->first_shed = stream;
    if (!gate->is_open && gate->closed_stream < gate->first_shed)
        gate->closed_stream = stream; // the library will never have seen it
    gate->latest_passed = 0;
    gate->last_shed = gate->latest_shed = stream;
}

static bool is_stateless(const struct head *head, struct bytes come) {
    bool is_plain = !(head->flags & (NGHTTP2_FLAG_PADDED | NGHTTP2_FLAG_PRIORITY));
    return is_plain && come.len >= head->length && shed_gate_is_stateless(bytes_of(come.data, head->length));
}

static bool may_refuse(const struct shed_gate *gate, const struct shed_gate_read *read,
                       const struct head *head, bool is_stateless) {
    bool is_small = head->flags & NGHTTP2_FLAG_END_HEADERS && head->length <= BLOCK_BYTES_MAX;
    return read->may_refuse && is_small && (gate->is_open || is_stateless) &&
           read->refused_count < SHED_GATE_REFUSED_MAX;
}

static enum fate judge_call(struct shed_gate *gate, struct shed_gate_read *read, const struct head *head,
                            struct bytes come) {
    gate->last_stream = gate->latest_passed = head->stream;
    if (gate->closed_stream == 0)
        gate->closed_stream = head->stream;
    if (read->quota > 0) {
        read->quota--;
        return PASS;
    }
    bool leaves_state = is_stateless(head, come);
    if (!may_refuse(gate, read, head, leaves_state)) {
        if (*read->over_quota == INT32_MAX)
            *read->over_quota = head->stream;
        return PASS;
    }
    read->refused[read->refused_count++] = head->stream;
    remember_shed(gate, head->stream);
    return leaves_state ? DROP : RENAME;
}

// Streams of the same range that were not refused are known to the library, once it has been told of them;
// the ones that it has forgotten it ignores under any number. `at` is up to where it may be told.
static bool is_shed(const struct shed_gate *gate, int32_t stream, struct run *run, const uint8_t *at) {
    bool is_in_range = stream >= gate->first_shed && stream <= gate->last_shed && stream % 2 == 1;
    if (!is_in_range || stream == gate->latest_passed)
        return false;
    if (stream == gate->latest_shed)
        return true;
    cut(run, at, at);
    return !nghttp2_session_find_stream(run->session, stream);
}

static enum fate judge(struct shed_gate *gate, struct shed_gate_read *read, struct run *run,
                       const struct head *head, const uint8_t *at, struct bytes come) {
    bool is_call = head->type == NGHTTP2_HEADERS && head->stream > gate->last_stream && head->stream % 2 == 1;
    if (is_call)
        return judge_call(gate, read, head, come);
    if (!is_shed(gate, head->stream, run, at))
        return PASS;
    if (head->type == NGHTTP2_DATA)
        return DROP;
    if (gate->is_open)
        return RENAME;
    return head->type == NGHTTP2_HEADERS ? PASS : DROP; // trailers, which the library resets
}

static void feed_renamed(const struct shed_gate *gate, struct run *run, const uint8_t *head) {
    uint8_t renamed[SHED_GATE_HEAD_BYTES];
    memcpy(renamed, head, sizeof(renamed));
    shed_gate_set_stream(renamed, gate->closed_stream);
    feed(run, renamed, sizeof(renamed));
}

// Bodies that are not shown fill the connection's window all the same. Between two frames.
static void feed_dropped(struct shed_gate *gate, struct run *run) {
    static const uint8_t nothing[DATA_BYTES_MAX];
    while (gate->dropped_bytes > 0 && gate->is_open && !gate->is_in_block && run->error == 0) {
        uint32_t len = gate->dropped_bytes < DATA_BYTES_MAX ? gate->dropped_bytes : DATA_BYTES_MAX;
        const uint8_t head[SHED_GATE_HEAD_BYTES] = {0, (uint8_t)(len >> 8), (uint8_t)len, NGHTTP2_DATA};
        feed_renamed(gate, run, head);
        feed(run, nothing, len);
        gate->dropped_bytes -= len;
    }
}

// A whole head: where it stands in the read, or NULL when it has come in pieces; `rest` is what has come
// behind it.
static void take_head(struct shed_gate *gate, struct shed_gate_read *read, struct run *run,
                      const uint8_t *in_read, struct bytes rest) {
    const uint8_t *bytes = in_read ? in_read : gate->head, *at = in_read ? in_read : rest.data;
    struct head head = parse_head(bytes);
    if (gate->dropped_bytes >= DATA_BYTES_MAX) {
        cut(run, at, at);
        feed_dropped(gate, run);
    }
    enum fate fate = judge(gate, read, run, &head, at, rest);
    gate->payload_left = head.length;
    gate->is_dropping = fate == DROP;
    if (head.type == NGHTTP2_HEADERS || head.type == NGHTTP2_CONTINUATION)
        gate->is_in_block = !(head.flags & NGHTTP2_FLAG_END_HEADERS);
    if (fate == DROP && head.type == NGHTTP2_DATA)
        gate->dropped_bytes += head.length;
    if (fate == PASS && in_read)
        return;
    cut(run, at, rest.data);
    if (fate == RENAME)
        feed_renamed(gate, run, bytes);
    else if (fate == PASS)
        feed(run, bytes, SHED_GATE_HEAD_BYTES);
}

// Of a head that comes in pieces, nothing is handed on before it is whole.
static const uint8_t *take_piece(struct shed_gate *gate, struct shed_gate_read *read, struct run *run,
                                 const uint8_t *at, size_t left) {
    size_t missing = (size_t)(SHED_GATE_HEAD_BYTES - gate->head_len), len = missing < left ? missing : left;
    cut(run, at, at + len);
    memcpy(gate->head + gate->head_len, at, len);
    gate->head_len += (uint8_t)len;
    if (gate->head_len < SHED_GATE_HEAD_BYTES)
        return at + len;
    gate->head_len = 0;
    take_head(gate, read, run, NULL, bytes_of(at + len, left - len));
    return at + len;
}

static const uint8_t *take_payload(struct shed_gate *gate, struct run *run, const uint8_t *at, size_t left) {
    size_t len = gate->payload_left < left ? gate->payload_left : left;
    gate->payload_left -= (uint32_t)len;
    if (gate->is_dropping)
        run->begin = at + len;
    return at + len;
}

static void look_for_opening(struct shed_gate *gate, nghttp2_session *session) {
    if (!gate->is_open && gate->closed_stream < nghttp2_session_get_last_proc_stream_id(session))
        gate->is_open = !nghttp2_session_find_stream(session, gate->closed_stream);
}

ssize_t shed_gate_take(struct shed_gate *gate, struct shed_gate_read *read, struct bytes bytes) {
    const uint8_t *at = bytes.data, *end = at + bytes.len;
    struct run run = {read->session, at, 0};
    look_for_opening(gate, read->session);
    while (at < end && run.error == 0) {
        size_t left = (size_t)(end - at);
        if (gate->payload_left > 0) {
            at = take_payload(gate, &run, at, left);
        } else if (gate->head_len == 0 && left >= SHED_GATE_HEAD_BYTES) {
            const uint8_t *head = at;
            at += SHED_GATE_HEAD_BYTES;
            take_head(gate, read, &run, head, bytes_of(at, left - SHED_GATE_HEAD_BYTES));
        } else {
            at = take_piece(gate, read, &run, at, left);
        }
    }
    cut(&run, at, at);
    if (gate->payload_left == 0 || gate->is_dropping)
        feed_dropped(gate, &run);
    return run.error;
}
