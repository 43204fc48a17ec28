// Arithmetic stays inside 64 bits: eight digits of hours are held at INT64_MAX nanoseconds.
#include "common/grpc/timeout.h"

#include <stdio.h>

#include "common/base/compiler.h"

enum { DIGITS_MAX = 8, DIGITS_VALUE_MAX = 99999999, MS_DIGITS_MAX = 10, NS_PER_MS = 1000000 };

static const struct {
    char letter;
    uint64_t ns;
} units[] = {
    {'n', 1}, {'u', 1000}, {'m', 1000000}, {'S', 1000000000u}, {'M', 60000000000ull}, {'H', 3600000000000ull},
};

static uint64_t find_unit_ns(uint8_t letter) {
    for (size_t i = 0; i < ARRAY_LENGTH(units); i++)
        if (units[i].letter == letter)
            return units[i].ns;
    return 0;
}

static bool parse_digits(struct bytes text, size_t max, uint64_t *ret_value) {
    if (text.len == 0 || text.len > max)
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        value = value * 10 + (text.data[i] - '0');
    }
    *ret_value = value;
    return true;
}

bool timeout_parse_ms(struct bytes text, uint64_t *ret_ns) {
    uint64_t value;
    if (!parse_digits(text, MS_DIGITS_MAX, &value))
        return false;
    *ret_ns = value * NS_PER_MS;
    return true;
}

bool timeout_parse(struct bytes text, uint64_t *ret_ns) {
    if (text.len < 2)
        return false;
    uint64_t unit_ns = find_unit_ns(text.data[text.len - 1]), value;
    if (unit_ns == 0 || !parse_digits(bytes_of(text.data, text.len - 1), DIGITS_MAX, &value))
        return false;
    *ret_ns = value > INT64_MAX / unit_ns ? INT64_MAX : value * unit_ns;
    return true;
}

size_t timeout_format(uint64_t timeout_ns, char ret_text[TIMEOUT_TEXT_MAX + 1]) {
    size_t unit = 0;
    uint64_t value = timeout_ns;
    while (value > DIGITS_VALUE_MAX && unit + 1 < ARRAY_LENGTH(units)) {
        unit++;
        value = timeout_ns / units[unit].ns + (timeout_ns % units[unit].ns != 0);
    }
    return (size_t)snprintf(ret_text, TIMEOUT_TEXT_MAX + 1, "%u%c", (unsigned)value, units[unit].letter);
}
