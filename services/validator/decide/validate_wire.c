#include "services/validator/decide/validate_wire.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/protobuf/wire_reader.h"

// Fields of the request and of the response, as in validation.proto.
enum { TOKEN = 1, CLIENT_IP, DOMAIN, PERMISSIONS, CHANNEL, ANY_PERMISSIONS, MIN_REVISION };
enum {
    DECISION = 1,
    REASON,
    COMPANY_ID,
    TOKEN_ID,
    REVISION,
    MEMBER_ID,
    KIND,
    HELD_PERMISSIONS = PERMISSION_TAIL_FIELD,
    EXPIRES_AT,
    COMPANY_EXTERNAL_ID,
    TOKEN_EXTERNAL_ID,
    MISSING_PERMISSIONS,
};
enum { DECISION_ALLOW = 1, DECISION_DENY = 2 };

// ---- reading ----

// A list in the making. Its room is what the rest of the message can hold at most, a name being two bytes at
// least.
struct list {
    struct bytes *names;
    size_t count;
};

static void read_name(struct wire_reader *reader, struct arena *arena, struct list *list) {
    size_t left = (size_t)(reader->end - reader->at) / 2 + 1;
    struct bytes name = wire_reader_read_text(reader);
    if (!list->names) {
        size_t room = left < VALIDATE_PERMISSIONS_MAX ? left : VALIDATE_PERMISSIONS_MAX;
        list->names = arena_allocate(arena, room * sizeof(*list->names));
        if (!list->names) {
            wire_reader_fail(reader, STATUS_NO_MEMORY);
            return;
        }
    }
    if (list->count < VALIDATE_PERMISSIONS_MAX)
        list->names[list->count] = name;
    list->count++;
}

// why in place: see validate_make_request().
enum status validate_wire_read(struct bytes message, struct arena *arena,
                               struct validate_question *ret_question) {
    struct wire_reader reader = wire_reader_of(message);
    struct list permissions = {0}, any_permissions = {0};
    *ret_question = (struct validate_question){0};
    while (wire_reader_has_more(&reader)) {
        uint64_t tag = wire_reader_read_tag(&reader);
        switch (tag) {
        case WIRE_TAG(TOKEN, WIRE_LENGTH): ret_question->token = wire_reader_read_text(&reader); break;
        case WIRE_TAG(CLIENT_IP, WIRE_LENGTH):
            ret_question->client_ip = wire_reader_read_text(&reader);
            break;
        case WIRE_TAG(DOMAIN, WIRE_LENGTH): ret_question->domain = wire_reader_read_text(&reader); break;
        case WIRE_TAG(PERMISSIONS, WIRE_LENGTH): read_name(&reader, arena, &permissions); break;
        case WIRE_TAG(CHANNEL, WIRE_VARINT):
            ret_question->channel = (int32_t)(uint32_t)wire_reader_read_number(&reader);
            break;
        case WIRE_TAG(ANY_PERMISSIONS, WIRE_LENGTH): read_name(&reader, arena, &any_permissions); break;
        case WIRE_TAG(MIN_REVISION, WIRE_LENGTH):
            ret_question->min_revision = wire_reader_read_text(&reader);
            break;
        default: wire_reader_skip_unknown(&reader, tag, MIN_REVISION);
        }
    }
    ret_question->permissions = permissions.names;
    ret_question->permission_count = permissions.count;
    ret_question->any_permissions = any_permissions.names;
    ret_question->any_permission_count = any_permissions.count;
    return reader.status;
}

// ---- writing ----

static size_t measure_varint(uint64_t value) {
    size_t size = 1;
    for (; value >= 0x80; value >>= 7)
        size++;
    return size;
}

static uint8_t *write_varint(uint8_t *to, uint64_t value) {
    for (; value >= 0x80; value >>= 7)
        *to++ = (uint8_t)(value | 0x80);
    *to++ = (uint8_t)value;
    return to;
}

static uint8_t *write_element(uint8_t *to, unsigned field, const void *data, size_t len) {
    *to++ = WIRE_TAG(field, WIRE_LENGTH);
    to = write_varint(to, len);
    if (len > 0)
        memcpy(to, data, len);
    return to + len;
}

static uint8_t *write_text(uint8_t *to, unsigned field, struct bytes text) {
    return text.len == 0 ? to : write_element(to, field, text.data, text.len);
}

// why: nearly all are as long as that, and a copy of a known length is two instructions.
static inline uint8_t *write_usual(uint8_t *to, unsigned field, struct bytes text, size_t usual_len) {
    if (UNLIKELY(text.len != usual_len))
        return write_text(to, field, text);
    *to++ = WIRE_TAG(field, WIRE_LENGTH);
    *to++ = (uint8_t)usual_len;
    memcpy(to, text.data, usual_len);
    return to + usual_len;
}

static uint8_t *write_bytes(uint8_t *to, struct bytes bytes) {
    if (bytes.len > 0)
        memcpy(to, bytes.data, bytes.len);
    return to + bytes.len;
}

static uint8_t *write_number(uint8_t *to, unsigned field, uint64_t value) {
    if (value == 0)
        return to;
    *to++ = WIRE_TAG(field, WIRE_VARINT);
    return write_varint(to, value);
}

// google.protobuf.Timestamp
struct moment {
    int64_t seconds;
    uint32_t nanos;
};

static struct moment moment_of(int64_t ms) {
    int64_t seconds = ms / 1000, rest = ms % 1000;
    if (rest < 0) {
        seconds--;
        rest += 1000;
    }
    return (struct moment){seconds, (uint32_t)rest * 1000000};
}

static bool has_moment(int64_t ms) {
    return ms != CLOCK_NEVER_MS && ms != CLOCK_ALWAYS_MS;
}

static size_t measure_moment(struct moment moment) {
    size_t seconds = moment.seconds == 0 ? 0 : 1 + measure_varint((uint64_t)moment.seconds);
    return seconds + (moment.nanos == 0 ? 0 : 1 + measure_varint(moment.nanos));
}

static uint8_t *write_moment(uint8_t *to, unsigned field, int64_t ms) {
    if (!has_moment(ms))
        return to;
    struct moment moment = moment_of(ms);
    *to++ = WIRE_TAG(field, WIRE_LENGTH);
    *to++ = (uint8_t)measure_moment(moment);
    to = write_number(to, 1, (uint64_t)moment.seconds);
    return write_number(to, 2, moment.nanos);
}

// why not to the byte: it is room that is written over.
size_t validate_wire_measure(const struct validate_answer *answer) {
    enum { NUMBERS_MAX = 3 * 2, MOMENT_MAX = 2 + 11 + 6, HEAD_MAX = 1 + 10, TEXTS = 6 };
    size_t size = NUMBERS_MAX + MOMENT_MAX + TEXTS * HEAD_MAX + answer->company_id.len +
                  answer->token_id.len + answer->revision.len + answer->member_id.len +
                  answer->permissions.len + answer->company_external_id.len + answer->token_external_id.len;
    for (size_t i = 0; i < answer->missing_count; i++)
        size += HEAD_MAX + answer->missing[i].len;
    return size;
}

// What was not decided is neither.
static unsigned choose_decision(enum reason reason) {
    if (reason == REASON_NOT_CURRENT)
        return 0;
    return reason == REASON_OK ? DECISION_ALLOW : DECISION_DENY;
}

uint8_t *validate_wire_put(const struct validate_answer *answer, uint8_t *to) {
    to = write_number(to, DECISION, choose_decision(answer->reason));
    to = write_number(to, REASON, answer->reason);
    to = write_usual(to, COMPANY_ID, answer->company_id, VALIDATE_ID_LENGTH);
    to = write_usual(to, TOKEN_ID, answer->token_id, VALIDATE_ID_LENGTH);
    to = write_usual(to, REVISION, answer->revision, REVISION_TEXT_LENGTH);
    to = write_usual(to, MEMBER_ID, answer->member_id, VALIDATE_ID_LENGTH);
    to = write_number(to, KIND, answer->kind);
    to = write_bytes(to, answer->permissions);
    to = write_moment(to, EXPIRES_AT, answer->expires_at_ms);
    to = write_text(to, COMPANY_EXTERNAL_ID, answer->company_external_id);
    to = write_text(to, TOKEN_EXTERNAL_ID, answer->token_external_id);
    for (size_t i = 0; i < answer->missing_count; i++)
        to = write_element(to, MISSING_PERMISSIONS, answer->missing[i].data, answer->missing[i].len);
    return to;
}

struct bytes validate_wire_write(const struct validate_answer *answer, size_t headroom, struct arena *arena) {
    uint8_t *message = arena_allocate(arena, headroom + validate_wire_measure(answer));
    if (!message)
        return BYTES_EMPTY;
    const uint8_t *end = validate_wire_put(answer, message + headroom);
    return bytes_of(message, (size_t)(end - message));
}
