#include "common/protobuf/protojson_number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define EXPONENT_MAX 100000 // held here: farther away is the same, 0 or too large

struct decimal {
    bool is_negative;
    struct bytes digits; // with a point in it, perhaps
    int64_t point;       // how many digits stand behind the point
    int64_t exponent;
};

static bool is_digit(uint8_t byte) {
    return byte >= '0' && byte <= '9';
}

static bool take(struct bytes *rest, char byte) {
    if (rest->len == 0 || rest->data[0] != (uint8_t)byte)
        return false;
    rest->data++;
    rest->len--;
    return true;
}

static size_t take_digits(struct bytes *rest) {
    size_t count = 0;
    while (count < rest->len && is_digit(rest->data[count]))
        count++;
    rest->data += count;
    rest->len -= count;
    return count;
}

// "e-5"; true where there is none.
static bool take_exponent(struct bytes *rest, int64_t *ret_exponent) {
    *ret_exponent = 0;
    if (!take(rest, 'e') && !take(rest, 'E'))
        return true;
    bool is_negative = take(rest, '-');
    if (!is_negative)
        (void)take(rest, '+');
    const uint8_t *digits = rest->data;
    size_t count = take_digits(rest);
    for (size_t i = 0; i < count && *ret_exponent < EXPONENT_MAX; i++)
        *ret_exponent = *ret_exponent * 10 + (digits[i] - '0');
    if (is_negative)
        *ret_exponent = -*ret_exponent;
    return count > 0;
}

static bool parse(struct bytes text, struct decimal *ret) {
    ret->is_negative = take(&text, '-');
    const uint8_t *first = text.data;
    size_t whole = take_digits(&text), part = 0;
    if (whole == 0 || (whole > 1 && first[0] == '0'))
        return false;
    if (take(&text, '.')) {
        part = take_digits(&text);
        if (part == 0)
            return false;
    }
    ret->digits = bytes_of(first, (size_t)(text.data - first));
    ret->point = (int64_t)part;
    return take_exponent(&text, &ret->exponent) && text.len == 0;
}

bool protojson_number_is_one(struct bytes text) {
    struct decimal ignored;
    return parse(text, &ignored);
}

// Digits that end in zeros stand for a smaller number of them and a larger exponent.
static void drop_trailing_zeros(struct decimal *decimal) {
    while (decimal->digits.len > 0) {
        uint8_t last = decimal->digits.data[decimal->digits.len - 1];
        if (last != '0' && last != '.')
            return;
        decimal->digits.len--;
        decimal->exponent += last == '0';
    }
}

static bool multiply_add(uint64_t *value, uint64_t digit) {
    return !__builtin_mul_overflow(*value, 10, value) && !__builtin_add_overflow(*value, digit, value);
}

static enum protojson_number_result get_magnitude(struct decimal decimal, uint64_t *ret_value) {
    decimal.exponent -= decimal.point;
    drop_trailing_zeros(&decimal);
    *ret_value = 0;
    for (size_t i = 0; i < decimal.digits.len; i++)
        if (decimal.digits.data[i] != '.' &&
            !multiply_add(ret_value, (uint64_t)(decimal.digits.data[i] - '0')))
            return PROTOJSON_NUMBER_OUT_OF_RANGE;
    if (*ret_value == 0)
        return PROTOJSON_NUMBER_OK;
    if (decimal.exponent < 0)
        return PROTOJSON_NUMBER_NOT_WHOLE;
    for (int64_t i = 0; i < decimal.exponent; i++)
        if (!multiply_add(ret_value, 0))
            return PROTOJSON_NUMBER_OUT_OF_RANGE;
    return PROTOJSON_NUMBER_OK;
}

enum protojson_number_result protojson_number_parse_whole(struct bytes text, int64_t min, uint64_t max,
                                                          uint64_t *ret_value) {
    struct decimal decimal;
    uint64_t magnitude;
    if (!parse(text, &decimal))
        return PROTOJSON_NUMBER_MALFORMED;
    enum protojson_number_result result = get_magnitude(decimal, &magnitude);
    if (result != PROTOJSON_NUMBER_OK)
        return result;
    // The smallest of a type is one farther from zero than INT64_MAX at most, which only uint64_t holds.
    uint64_t limit = decimal.is_negative ? -(uint64_t)min : max;
    if (magnitude > limit)
        return PROTOJSON_NUMBER_OUT_OF_RANGE;
    *ret_value = decimal.is_negative ? -magnitude : magnitude;
    return PROTOJSON_NUMBER_OK;
}

static bool find_name(struct bytes text, double *ret_value) {
    static const struct {
        const char *name;
        double value;
    } names[] = {{"NaN", NAN}, {"Infinity", INFINITY}, {"-Infinity", -INFINITY}};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (bytes_is_text(text, names[i].name)) {
            *ret_value = names[i].value;
            return true;
        }
    return false;
}

// strtod() reads more than JSON has, such as "0x1p3" and " 1": the grammar is held to first.
enum protojson_number_result protojson_number_parse_double(const char *text, double *ret_value) {
    if (find_name(bytes_of_text(text), ret_value))
        return PROTOJSON_NUMBER_OK;
    if (!protojson_number_is_one(bytes_of_text(text)))
        return PROTOJSON_NUMBER_MALFORMED;
    double value = strtod(text, NULL);
    if (isinf(value))
        return PROTOJSON_NUMBER_OUT_OF_RANGE;
    *ret_value = value;
    return PROTOJSON_NUMBER_OK;
}

enum protojson_number_result protojson_number_parse_float(const char *text, float *ret_value) {
    double name;
    if (find_name(bytes_of_text(text), &name)) {
        *ret_value = (float)name;
        return PROTOJSON_NUMBER_OK;
    }
    if (!protojson_number_is_one(bytes_of_text(text)))
        return PROTOJSON_NUMBER_MALFORMED;
    // why: not by way of double, which would round twice.
    float value = strtof(text, NULL);
    if (isinf(value))
        return PROTOJSON_NUMBER_OUT_OF_RANGE;
    *ret_value = value;
    return PROTOJSON_NUMBER_OK;
}

static const char *name_of(double value) {
    if (isnan(value))
        return "NaN";
    if (isinf(value))
        return value < 0 ? "-Infinity" : "Infinity";
    return NULL;
}

size_t protojson_number_format_double(double value, char ret_text[PROTOJSON_NUMBER_TEXT_MAX + 1]) {
    const char *name = name_of(value);
    if (name)
        return (size_t)snprintf(ret_text, PROTOJSON_NUMBER_TEXT_MAX + 1, "%s", name);
    int length = 0;
    for (int digits = 15; digits <= 17; digits++) {
        length = snprintf(ret_text, PROTOJSON_NUMBER_TEXT_MAX + 1, "%.*g", digits, value);
        if (strtod(ret_text, NULL) == value)
            break;
    }
    return (size_t)length;
}

size_t protojson_number_format_float(float value, char ret_text[PROTOJSON_NUMBER_TEXT_MAX + 1]) {
    const char *name = name_of((double)value);
    if (name)
        return (size_t)snprintf(ret_text, PROTOJSON_NUMBER_TEXT_MAX + 1, "%s", name);
    int length = 0;
    for (int digits = 6; digits <= 9; digits++) {
        length = snprintf(ret_text, PROTOJSON_NUMBER_TEXT_MAX + 1, "%.*g", digits, (double)value);
        if (strtof(ret_text, NULL) == value)
            break;
    }
    return (size_t)length;
}
