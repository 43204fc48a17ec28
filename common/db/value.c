// PostgreSQL's own definitions are in its sources: timestamp.c, network.c and the pq_send* functions of
// pqformat.c.
#include "common/db/value.h"

#include <assert.h>

#include "common/base/clock.h"

// Milliseconds from 1970-01-01 to 2000-01-01, PostgreSQL's epoch.
#define POSTGRES_EPOCH_MS INT64_C(946684800000)

// MIN_TIMESTAMP and END_TIMESTAMP of PostgreSQL's datatype/timestamp.h, in microseconds since 2000.
#define TIMESTAMP_MIN_US INT64_C(-211813488000000000)
#define TIMESTAMP_END_US INT64_C(9223371331200000000)

// First byte of a binary inet: PGSQL_AF_INET and PGSQL_AF_INET6 of PostgreSQL's utils/inet.h.
enum { INET_FAMILY_V4 = 2, INET_FAMILY_V6 = 3, INET_HEADER_LENGTH = 4 };

static uint64_t load(const uint8_t *from, size_t len) {
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++)
        value = value << 8 | from[i];
    return value;
}

static void store(uint64_t value, uint8_t *to, size_t len) {
    while (len-- > 0) {
        to[len] = (uint8_t)value;
        value >>= 8;
    }
}

bool db_value_read_bool(struct bytes value, bool *ret) {
    if (value.len != 1 || value.data[0] > 1)
        return false;
    *ret = value.data[0] == 1;
    return true;
}

bool db_value_read_int16(struct bytes value, int16_t *ret) {
    if (value.len != sizeof(*ret))
        return false;
    *ret = (int16_t)load(value.data, sizeof(*ret));
    return true;
}

bool db_value_read_int32(struct bytes value, int32_t *ret) {
    if (value.len != sizeof(*ret))
        return false;
    *ret = (int32_t)load(value.data, sizeof(*ret));
    return true;
}

bool db_value_read_int64(struct bytes value, int64_t *ret) {
    if (value.len != sizeof(*ret))
        return false;
    *ret = (int64_t)load(value.data, sizeof(*ret));
    return true;
}

bool db_value_read_uuid(struct bytes value, struct uuid *ret) {
    if (value.len != sizeof(ret->bytes))
        return false;
    memcpy(ret->bytes, value.data, sizeof(ret->bytes));
    return true;
}

static int64_t round_down_to_ms(int64_t us) {
    return us / 1000 - (us % 1000 < 0);
}

bool db_value_read_time_ms(struct bytes value, int64_t *ret_ms) {
    int64_t us;
    if (!db_value_read_int64(value, &us))
        return false;
    if (us == INT64_MAX)
        *ret_ms = CLOCK_NEVER_MS;
    else if (us == INT64_MIN)
        *ret_ms = CLOCK_ALWAYS_MS;
    else
        *ret_ms = round_down_to_ms(us) + POSTGRES_EPOCH_MS;
    return true;
}

static bool is_mapped(const uint8_t address[16]) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(address, mapped, sizeof(mapped)) == 0;
}

bool db_value_read_prefix(struct bytes value, struct ip_prefix *ret) {
    struct cursor cursor = cursor_of(value);
    uint8_t family = cursor_read_u8(&cursor);
    uint8_t bits = cursor_read_u8(&cursor);
    uint8_t kind = cursor_read_u8(&cursor);
    struct bytes address = cursor_read_bytes(&cursor, cursor_read_u8(&cursor));
    size_t width = family == INET_FAMILY_V4 ? 4 : family == INET_FAMILY_V6 ? 16 : 0;
    if (cursor.failed || cursor.rest.len != 0 || kind > 1)
        return false;
    if (width == 0 || address.len != width || bits > width * 8)
        return false;
    if (width == 16 && is_mapped(address.data))
        return false;

    struct ip_address host = {.family = width == 4 ? IP_FAMILY_V4 : IP_FAMILY_V6};
    memcpy(host.bytes, address.data, width);
    *ret = ip_prefix_of(&host, bits);
    return true;
}

void db_value_write_int16(int16_t value, uint8_t ret[2]) {
    store((uint16_t)value, ret, 2);
}

void db_value_write_int32(int32_t value, uint8_t ret[4]) {
    store((uint32_t)value, ret, 4);
}

void db_value_write_int64(int64_t value, uint8_t ret[8]) {
    store((uint64_t)value, ret, 8);
}

bool db_value_write_time_ms(int64_t ms, uint8_t ret[8]) {
    int64_t us = ms; // the two infinities are the same numbers on both sides
    static_assert(CLOCK_NEVER_MS == INT64_MAX && CLOCK_ALWAYS_MS == INT64_MIN,
                  "as 'infinity' and '-infinity'");
    if (ms != CLOCK_NEVER_MS && ms != CLOCK_ALWAYS_MS) {
        if (__builtin_sub_overflow(ms, POSTGRES_EPOCH_MS, &us) || __builtin_mul_overflow(us, 1000, &us))
            return false;
        if (us < TIMESTAMP_MIN_US || us >= TIMESTAMP_END_US)
            return false;
    }
    db_value_write_int64(us, ret);
    return true;
}

size_t db_value_write_prefix(const struct ip_prefix *prefix, enum db_prefix_kind kind,
                             uint8_t ret[DB_PREFIX_VALUE_MAX]) {
    size_t width = ip_address_get_width_bits(&prefix->address) / 8;
    assert(width != 0);
    ret[0] = width == 4 ? INET_FAMILY_V4 : INET_FAMILY_V6;
    ret[1] = prefix->bits;
    ret[2] = (uint8_t)kind;
    ret[3] = (uint8_t)width;
    memcpy(ret + INET_HEADER_LENGTH, prefix->address.bytes, width);
    return INET_HEADER_LENGTH + width;
}
