#include "common/grpc/shed_gate.h"

#include <string.h>

enum {
    PREFACE_BYTES = 24,
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

enum fate { PASS, RENAME, SKIP };

static void remember_shed(struct shed_gate *gate, int32_t stream) {
    if (gate->first_shed == 0)
        gate->first_shed = stream;
    gate->last_shed = stream;
}

static enum fate judge_call(struct shed_gate *gate, struct shed_gate_read *read, const struct head *head,
                            struct bytes come) {
    gate->last_stream = head->stream;
    if (gate->closed_stream == 0)
        gate->closed_stream = head->stream;
    if (read->quota > 0) {
        read->quota--;
        return PASS;
    }
    bool is_small = head->flags & NGHTTP2_FLAG_END_HEADERS && head->length <= BLOCK_BYTES_MAX;
    if (!read->may_refuse || !gate->is_open || !is_small || read->refused_count == SHED_GATE_REFUSED_MAX) {
        if (*read->over_quota == INT32_MAX)
            *read->over_quota = head->stream;
        return PASS;
    }
    read->refused[read->refused_count++] = head->stream;
    remember_shed(gate, head->stream);
    bool is_plain = !(head->flags & (NGHTTP2_FLAG_PADDED | NGHTTP2_FLAG_PRIORITY));
    bool is_skipped =
        is_plain && come.len >= head->length && shed_gate_is_stateless(bytes_of(come.data, head->length));
    return is_skipped ? SKIP : RENAME;
}

// Streams of the same range that were not refused are known to the library, once it has been told of them;
// the ones that it has forgotten it ignores under any number.
static bool is_shed(const struct shed_gate *gate, const struct head *head, struct run *run,
                    const uint8_t *at) {
    if (head->stream < gate->first_shed || head->stream > gate->last_shed || head->stream % 2 == 0)
        return false;
    cut(run, at, at);
    return !nghttp2_session_find_stream(run->session, head->stream);
}

static enum fate judge(struct shed_gate *gate, struct shed_gate_read *read, const struct head *head,
                       struct bytes come) {
    bool is_call = head->type == NGHTTP2_HEADERS && head->stream > gate->last_stream && head->stream % 2 == 1;
    return is_call ? judge_call(gate, read, head, come) : PASS;
}

static void feed_renamed(const struct shed_gate *gate, struct run *run, const uint8_t *head) {
    uint8_t renamed[SHED_GATE_HEAD_BYTES];
    uint32_t stream = (uint32_t)gate->closed_stream;
    memcpy(renamed, head, sizeof(renamed));
    renamed[5] = (uint8_t)(stream >> 24);
    renamed[6] = (uint8_t)(stream >> 16);
    renamed[7] = (uint8_t)(stream >> 8);
    renamed[8] = (uint8_t)stream;
    feed(run, renamed, sizeof(renamed));
}

// A whole head; `at` is behind it, and is returned unless the payload is skipped. `bytes_head` is where it
// stands in the read; NULL = it came in pieces, and has not been handed on.
static const uint8_t *take_head(struct shed_gate *gate, struct shed_gate_read *read, struct run *run,
                                const uint8_t *bytes_head, struct bytes rest) {
    const uint8_t *bytes = bytes_head ? bytes_head : gate->head;
    struct head head = parse_head(bytes);
    if (!bytes_head)
        run->begin = rest.data;
    enum fate fate = judge(gate, read, &head, rest);
    if (fate == PASS && is_shed(gate, &head, run, bytes_head ? bytes_head : rest.data))
        fate = RENAME;
    gate->payload_left = fate == SKIP ? 0 : head.length;
    if (fate == PASS && bytes_head)
        return rest.data;
    const uint8_t *next = fate == SKIP ? rest.data + head.length : rest.data;
    cut(run, bytes_head ? bytes_head : rest.data, next);
    if (fate == RENAME)
        feed_renamed(gate, run, bytes);
    else if (fate == PASS)
        feed(run, bytes, SHED_GATE_HEAD_BYTES);
    return next;
}

// Asked where no frame is under way: the library has then seen the first stream, and not only its head has
// come.
static void look_for_opening(struct shed_gate *gate, nghttp2_session *session) {
    if (!gate->is_open && gate->closed_stream > 0 && gate->payload_left == 0)
        gate->is_open = !nghttp2_session_find_stream(session, gate->closed_stream);
}

ssize_t shed_gate_take(struct shed_gate *gate, struct shed_gate_read *read, struct bytes bytes) {
    const uint8_t *at = bytes.data, *end = at + bytes.len;
    struct run run = {read->session, at, 0};
    look_for_opening(gate, read->session);
    while (at < end && run.error == 0) {
        size_t left = (size_t)(end - at);
        if (gate->payload_left > 0) {
            size_t len = gate->payload_left < left ? gate->payload_left : left;
            gate->payload_left -= (uint32_t)len;
            at += len;
        } else if (gate->head_len == 0 && left >= SHED_GATE_HEAD_BYTES) {
            at = take_head(gate, read, &run, at,
                           bytes_of(at + SHED_GATE_HEAD_BYTES, left - SHED_GATE_HEAD_BYTES));
        } else {
            size_t missing = (size_t)(SHED_GATE_HEAD_BYTES - gate->head_len),
                   len = missing < left ? missing : left;
            cut(&run, at, at + len);
            memcpy(gate->head + gate->head_len, at, len);
            gate->head_len += (uint8_t)len;
            at += len;
            if (gate->head_len < SHED_GATE_HEAD_BYTES)
                break;
            gate->head_len = 0;
            at = take_head(gate, read, &run, NULL, bytes_of(at, left - len));
        }
    }
    cut(&run, at, at);
    return run.error;
}
