#include "services/validator/decide/validate_item_wire.h"

#include <string.h>

#include "common/grpc/framing.h"
#include "common/protobuf/wire_reader.h"
#include "services/validator/decide/validate_wire.h"

// Fields of the four messages, as in validation.proto.
enum { BATCH_REQUESTS = 1, BATCH_RESPONSES = 1 };
enum { STREAM_ID = 1, STREAM_REQUEST = 2, STREAM_RESPONSE = 2 };

enum { VARINT_MAX = 10 };

// ---- reading ----

enum status validate_batch_wire_count(struct bytes message, size_t *ret_count) {
    struct wire_reader reader = wire_reader_of(message);
    size_t count = 0;
    while (wire_reader_has_more(&reader)) {
        uint64_t tag = wire_reader_read_tag(&reader);
        if (tag != WIRE_TAG(BATCH_REQUESTS, WIRE_LENGTH)) {
            wire_reader_skip_unknown(&reader, tag, BATCH_REQUESTS);
            continue;
        }
        (void)wire_reader_read_bytes(&reader);
        count++;
    }
    *ret_count = count;
    return reader.status;
}

bool validate_batch_wire_next(struct bytes *rest, struct bytes *ret_question) {
    struct wire_reader reader = wire_reader_of(*rest);
    bool is_found = false;
    while (!is_found && wire_reader_has_more(&reader)) {
        uint64_t tag = wire_reader_read_tag(&reader);
        is_found = tag == WIRE_TAG(BATCH_REQUESTS, WIRE_LENGTH);
        if (is_found)
            *ret_question = wire_reader_read_bytes(&reader);
        else
            wire_reader_skip_unknown(&reader, tag, BATCH_REQUESTS);
    }
    *rest = bytes_of(reader.at, (size_t)(reader.end - reader.at));
    return is_found;
}

// The question of a stream's message while its pieces come.
struct pieces {
    struct bytes question; // so far
    uint8_t *end;          // of the copy that it is in; NULL: it stands in the message
};

// One by one they may be no messages where together they are one.
static bool is_question(struct bytes piece, struct arena *arena) {
    struct validate_question question;
    return validate_wire_read(piece, arena, &question) == STATUS_OK;
}

// why with room for all that may follow: pieces may be many and small, and each is copied and looked at once.
static enum status begin_copy(struct pieces *pieces, size_t room, struct arena *arena) {
    if (!is_question(pieces->question, arena))
        return STATUS_MALFORMED;
    uint8_t *copy = arena_allocate(arena, pieces->question.len + room);
    if (!copy)
        return STATUS_NO_MEMORY;
    memcpy(copy, pieces->question.data, pieces->question.len);
    pieces->question.data = copy;
    pieces->end = copy + pieces->question.len;
    return STATUS_OK;
}

static enum status join(struct pieces *pieces, struct bytes piece, size_t room, struct arena *arena) {
    enum status status = pieces->end ? STATUS_OK : begin_copy(pieces, room, arena);
    if (status == STATUS_OK && !is_question(piece, arena))
        status = STATUS_MALFORMED;
    if (status != STATUS_OK)
        return status;
    memcpy(pieces->end, piece.data, piece.len);
    pieces->end += piece.len;
    pieces->question.len += piece.len;
    return STATUS_OK;
}

static void read_piece(struct wire_reader *reader, struct arena *arena, struct pieces *pieces) {
    struct bytes piece = wire_reader_read_bytes(reader);
    enum status status = STATUS_OK;
    if (piece.len == 0)
        return;
    if (pieces->question.len == 0)
        pieces->question = piece;
    else
        status = join(pieces, piece, (size_t)(reader->end - piece.data), arena);
    if (status != STATUS_OK)
        wire_reader_fail(reader, status);
}

enum status validate_stream_wire_read(struct bytes message, struct arena *arena, uint64_t *ret_id,
                                      struct bytes *ret_question) {
    struct wire_reader reader = wire_reader_of(message);
    struct pieces pieces = {.question = BYTES_EMPTY};
    uint64_t id = 0;
    while (wire_reader_has_more(&reader)) {
        uint64_t tag = wire_reader_read_tag(&reader);
        switch (tag) {
        case WIRE_TAG(STREAM_ID, WIRE_VARINT): id = wire_reader_read_number(&reader); break;
        case WIRE_TAG(STREAM_REQUEST, WIRE_LENGTH): read_piece(&reader, arena, &pieces); break;
        default: wire_reader_skip_unknown(&reader, tag, STREAM_REQUEST);
        }
    }
    *ret_id = id;
    *ret_question = pieces.question;
    return reader.status;
}

// ---- writing ----

static uint8_t *put_varint(uint8_t *to, uint64_t value) {
    for (; value >= 0x80; value >>= 7)
        *to++ = (uint8_t)(value | 0x80);
    *to++ = (uint8_t)value;
    return to;
}

// How long an answer is shows when it is written. One whose length takes another number of bytes than most
// is moved: a length of more bytes than it needs is not what others write.
static uint8_t *put_answer(uint8_t *to, unsigned field, const struct validate_answer *answer) {
    enum { LENGTH_USUAL = 2 };
    *to++ = WIRE_TAG(field, WIRE_LENGTH);
    uint8_t *body = to + LENGTH_USUAL;
    size_t len = (size_t)(validate_wire_put(answer, body) - body);
    if (UNLIKELY(len < 0x80 || len >= 0x4000)) {
        uint8_t length[VARINT_MAX];
        size_t length_len = (size_t)(put_varint(length, len) - length);
        memmove(to + length_len, body, len);
        memcpy(to, length, length_len);
        return to + length_len + len;
    }
    put_varint(to, len);
    return body + len;
}

static size_t measure(const struct validate_answer *answer) {
    return 1 + VARINT_MAX + validate_wire_measure(answer);
}

void validate_batch_wire_append(struct buffer *to, const struct validate_answer *answer) {
    uint8_t *at = buffer_reserve(to, measure(answer));
    if (at)
        buffer_advance(to, (size_t)(put_answer(at, BATCH_RESPONSES, answer) - at));
}

void validate_stream_wire_append(struct buffer *to, uint64_t id, const struct validate_answer *answer) {
    uint8_t *at = buffer_reserve(to, FRAMING_PREFIX_BYTES + 1 + VARINT_MAX + measure(answer));
    if (!at)
        return;
    uint8_t *message = at + FRAMING_PREFIX_BYTES, *end = message;
    if (id != 0) {
        *end++ = WIRE_TAG(STREAM_ID, WIRE_VARINT);
        end = put_varint(end, id);
    }
    end = put_answer(end, STREAM_RESPONSE, answer);
    framing_write_prefix(at, (uint32_t)(end - message));
    buffer_advance(to, (size_t)(end - at));
}
