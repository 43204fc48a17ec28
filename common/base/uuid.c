// Version 7 with a counter in the 12 bits after the time (RFC 9562, section 6.2, method 1). Time and counter
// are one 60-bit number: counting past 4095 runs on into the next millisecond, and while the clock stands
// still or steps back it only counts on.
#include "common/base/uuid.h"

#include <stdatomic.h>

#include "common/base/random.h"

#define COUNTER_BITS 12
// A millisecond begins in the lower half of the counter, so that half of it is left for its other
// identifiers.
#define COUNTER_START_MASK UINT64_C(0x7FF)
#define TIME_MASK ((UINT64_C(1) << 48) - 1)

static uint64_t get_time_ms(const struct clock *clock) {
    int64_t now_ms = clock_get_realtime_ms(clock);
    return now_ms < 0 ? 0 : (uint64_t)now_ms & TIME_MASK;
}

static uint64_t take_next_instant(uint64_t now_ms, uint64_t random) {
    // Relaxed: threads agree on the order of this one number, and nothing is published through it.
    static _Atomic uint64_t last;
    uint64_t seen = atomic_load_explicit(&last, memory_order_relaxed);
    uint64_t next;
    do {
        bool is_new_millisecond = now_ms > seen >> COUNTER_BITS;
        next = is_new_millisecond ? now_ms << COUNTER_BITS | (random & COUNTER_START_MASK) : seen + 1;
    } while (!atomic_compare_exchange_weak_explicit(&last, &seen, next, memory_order_relaxed,
                                                    memory_order_relaxed));
    return next;
}

static void write_big_endian(uint64_t value, uint8_t ret_bytes[8]) {
    for (unsigned i = 0; i < 8; i++)
        ret_bytes[i] = (uint8_t)(value >> (56 - 8 * i));
}

struct uuid uuid_new(const struct clock *clock) {
    uint64_t random[2];
    random_fill(random, sizeof(random));
    uint64_t instant = take_next_instant(get_time_ms(clock), random[0]);
    uint64_t time_and_version = instant >> COUNTER_BITS << 16 | 0x7000 | (instant & 0xFFF);
    uint64_t variant_and_random = UINT64_C(1) << 63 | random[1] >> 2;

    struct uuid uuid;
    write_big_endian(time_and_version, uuid.bytes);
    write_big_endian(variant_and_random, uuid.bytes + 8);
    return uuid;
}

static bool is_dash_before(size_t byte) {
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

void uuid_format(struct uuid uuid, char ret_text[UUID_TEXT_LENGTH + 1]) {
    static const char digits[] = "0123456789abcdef";
    char *at = ret_text;
    for (size_t i = 0; i < sizeof(uuid.bytes); i++) {
        if (is_dash_before(i))
            *at++ = '-';
        *at++ = digits[uuid.bytes[i] >> 4];
        *at++ = digits[uuid.bytes[i] & 15];
    }
    *at = '\0';
}

// 16 for what is no hexadecimal digit.
static unsigned get_digit_value(uint8_t character) {
    if (character >= '0' && character <= '9')
        return character - '0';
    if (character >= 'a' && character <= 'f')
        return character - 'a' + 10u;
    if (character >= 'A' && character <= 'F')
        return character - 'A' + 10u;
    return 16;
}

bool uuid_parse(struct bytes text, struct uuid *ret_uuid) {
    if (text.len != UUID_TEXT_LENGTH)
        return false;
    struct uuid uuid;
    const uint8_t *at = text.data;
    for (size_t i = 0; i < sizeof(uuid.bytes); i++) {
        if (is_dash_before(i) && *at++ != '-')
            return false;
        unsigned high = get_digit_value(*at++);
        unsigned low = get_digit_value(*at++);
        if (high > 15 || low > 15)
            return false;
        uuid.bytes[i] = (uint8_t)(high << 4 | low);
    }
    *ret_uuid = uuid;
    return true;
}
