#include "services/validator/validate_wire.h"

#include <string.h>

#include "common/base/clock.h"

enum wire_type { WIRE_VARINT = 0, WIRE_64BIT = 1, WIRE_LENGTH = 2, WIRE_32BIT = 5 };
enum { NUMBER_BYTES_MAX = 10, TAG_BYTES_MAX = 5, LENGTH_BYTES_MAX = 5 };

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
    HELD_PERMISSIONS,
    EXPIRES_AT,
    COMPANY_EXTERNAL_ID,
    TOKEN_EXTERNAL_ID,
    MISSING_PERMISSIONS,
};
enum { DECISION_ALLOW = 1, DECISION_DENY = 2 };

#define TAG(field, type) ((uint8_t)((field) << 3 | (type)))
#define FIELD_NUMBER_MAX ((UINT64_C(1) << 29) - 1)

// ---- reading ----

struct reader {
    const uint8_t *at, *end;
    struct arena *arena;
    enum status status; // sticky
};

static void fail(struct reader *reader) {
    if (reader->status == STATUS_OK)
        reader->status = STATUS_MALFORMED;
    reader->at = reader->end;
}

static uint64_t read_long_varint(struct reader *reader, unsigned bytes_max) {
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes_max && reader->at < reader->end; i++) {
        uint8_t byte = *reader->at++;
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80)
            return value;
    }
    fail(reader);
    return 0;
}

static inline uint64_t read_varint(struct reader *reader, unsigned bytes_max) {
    if (LIKELY(reader->at < reader->end && *reader->at < 0x80))
        return *reader->at++;
    return read_long_varint(reader, bytes_max);
}

static struct bytes read_bytes(struct reader *reader) {
    uint64_t len = read_varint(reader, LENGTH_BYTES_MAX);
    if (len > (uint64_t)(reader->end - reader->at)) {
        fail(reader);
        return BYTES_EMPTY;
    }
    struct bytes read = bytes_of(reader->at, (size_t)len);
    reader->at += len;
    return read;
}

// Without NUL and below 0x80, eight bytes at a time.
static bool is_plain(struct bytes text) {
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    size_t i = 0;
    for (; i + 8 <= text.len; i += 8) {
        uint64_t word;
        memcpy(&word, text.data + i, sizeof(word));
        // With no top bit set, a byte borrows into its own top bit exactly if it is zero or one before it is.
        if ((word | (word - ones)) & tops)
            return false;
    }
    for (; i < text.len; i++)
        if ((uint8_t)(text.data[i] - 1) >= 0x7f)
            return false;
    return true;
}

static struct bytes read_text(struct reader *reader) {
    struct bytes text = read_bytes(reader);
    if (LIKELY(is_plain(text)))
        return text;
    if (memchr(text.data, '\0', text.len) || !bytes_is_utf8(text))
        fail(reader);
    return text;
}

static void skip(struct reader *reader, size_t len) {
    if (len > (size_t)(reader->end - reader->at))
        fail(reader);
    else
        reader->at += len;
}

static void skip_unknown(struct reader *reader, uint64_t tag) {
    uint64_t number = tag >> 3;
    if (number == 0 || number > FIELD_NUMBER_MAX || number <= MIN_REVISION) {
        fail(reader); // a known one here is one of another type than the contract says
        return;
    }
    switch (tag & 7) {
    case WIRE_VARINT: (void)read_varint(reader, NUMBER_BYTES_MAX); return;
    case WIRE_64BIT: skip(reader, 8); return;
    case WIRE_LENGTH: (void)read_bytes(reader); return;
    case WIRE_32BIT: skip(reader, 4); return;
    default: fail(reader);
    }
}

// A list in the making. Its room is what the rest of the message can hold at most, a name being two bytes at
// least.
struct list {
    struct bytes *names;
    size_t count;
};

static void read_name(struct reader *reader, struct list *list) {
    size_t left = (size_t)(reader->end - reader->at) / 2 + 1;
    struct bytes name = read_text(reader);
    if (!list->names) {
        size_t room = left < VALIDATE_PERMISSIONS_MAX ? left : VALIDATE_PERMISSIONS_MAX;
        list->names = arena_allocate(reader->arena, room * sizeof(*list->names));
        if (!list->names) {
            reader->status = STATUS_NO_MEMORY;
            fail(reader);
            return;
        }
    }
    if (list->count < VALIDATE_PERMISSIONS_MAX)
        list->names[list->count] = name;
    list->count++;
}

enum status validate_wire_read(struct bytes message, struct arena *arena,
                               struct validate_question *ret_question) {
    struct reader reader = {message.data, message.data + message.len, arena, STATUS_OK};
    struct validate_question question = {0};
    struct list permissions = {0}, any_permissions = {0};
    while (reader.at < reader.end) {
        uint64_t tag = read_varint(&reader, TAG_BYTES_MAX);
        switch (tag) {
        case TAG(TOKEN, WIRE_LENGTH): question.token = read_text(&reader); break;
        case TAG(CLIENT_IP, WIRE_LENGTH): question.client_ip = read_text(&reader); break;
        case TAG(DOMAIN, WIRE_LENGTH): question.domain = read_text(&reader); break;
        case TAG(PERMISSIONS, WIRE_LENGTH): read_name(&reader, &permissions); break;
        case TAG(CHANNEL, WIRE_VARINT):
            question.channel = (int32_t)(uint32_t)read_varint(&reader, NUMBER_BYTES_MAX);
            break;
        case TAG(ANY_PERMISSIONS, WIRE_LENGTH): read_name(&reader, &any_permissions); break;
        case TAG(MIN_REVISION, WIRE_LENGTH): question.min_revision = read_text(&reader); break;
        default: skip_unknown(&reader, tag);
        }
    }
    question.permissions = permissions.names;
    question.permission_count = permissions.count;
    question.any_permissions = any_permissions.names;
    question.any_permission_count = any_permissions.count;
    *ret_question = question;
    return reader.status;
}

// ---- writing ----

static size_t measure_varint(uint64_t value) {
    size_t size = 1;
    for (; value >= 0x80; value >>= 7)
        size++;
    return size;
}

static size_t measure_text(size_t len) {
    return len == 0 ? 0 : 1 + measure_varint(len) + len;
}

// An element of a list, which is there also when it is empty.
static size_t measure_element(size_t len) {
    return 1 + measure_varint(len) + len;
}

static uint8_t *write_varint(uint8_t *to, uint64_t value) {
    for (; value >= 0x80; value >>= 7)
        *to++ = (uint8_t)(value | 0x80);
    *to++ = (uint8_t)value;
    return to;
}

static uint8_t *write_element(uint8_t *to, unsigned field, const void *data, size_t len) {
    *to++ = TAG(field, WIRE_LENGTH);
    to = write_varint(to, len);
    if (len > 0)
        memcpy(to, data, len);
    return to + len;
}

static uint8_t *write_text(uint8_t *to, unsigned field, struct bytes text) {
    return text.len == 0 ? to : write_element(to, field, text.data, text.len);
}

static uint8_t *write_number(uint8_t *to, unsigned field, uint64_t value) {
    if (value == 0)
        return to;
    *to++ = TAG(field, WIRE_VARINT);
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
    *to++ = TAG(field, WIRE_LENGTH);
    *to++ = (uint8_t)measure_moment(moment);
    to = write_number(to, 1, (uint64_t)moment.seconds);
    return write_number(to, 2, moment.nanos);
}

static size_t measure_answer(const struct validate_answer *answer) {
    enum { NUMBERS_MAX = 3 * 2, MOMENT_MAX = 2 + 11 + 6 };
    size_t size = NUMBERS_MAX + MOMENT_MAX + measure_text(answer->company_id.len) +
                  measure_text(answer->token_id.len) + measure_text(answer->revision.len) +
                  measure_text(answer->member_id.len) + measure_text(answer->company_external_id.len) +
                  measure_text(answer->token_external_id.len);
    for (size_t i = 0; i < answer->permission_count; i++)
        size += measure_element(answer->permissions[i].len);
    for (size_t i = 0; i < answer->missing_count; i++)
        size += measure_element(answer->missing[i].len);
    return size;
}

struct bytes validate_wire_write(const struct validate_answer *answer, size_t headroom, struct arena *arena) {
    uint8_t *message = arena_allocate(arena, headroom + measure_answer(answer));
    if (!message)
        return BYTES_EMPTY;
    uint8_t *to = message + headroom;
    to = write_number(to, DECISION, answer->reason == REASON_OK ? DECISION_ALLOW : DECISION_DENY);
    to = write_number(to, REASON, answer->reason);
    to = write_text(to, COMPANY_ID, answer->company_id);
    to = write_text(to, TOKEN_ID, answer->token_id);
    to = write_text(to, REVISION, answer->revision);
    to = write_text(to, MEMBER_ID, answer->member_id);
    to = write_number(to, KIND, answer->kind);
    for (size_t i = 0; i < answer->permission_count; i++)
        to = write_element(to, HELD_PERMISSIONS, answer->permissions[i].data, answer->permissions[i].len);
    to = write_moment(to, EXPIRES_AT, answer->expires_at_ms);
    to = write_text(to, COMPANY_EXTERNAL_ID, answer->company_external_id);
    to = write_text(to, TOKEN_EXTERNAL_ID, answer->token_external_id);
    for (size_t i = 0; i < answer->missing_count; i++)
        to = write_element(to, MISSING_PERMISSIONS, answer->missing[i].data, answer->missing[i].len);
    return bytes_of(message, (size_t)(to - message));
}
