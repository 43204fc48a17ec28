// Numbers as JSON writes them, digit by digit: ProtoJSON has 64-bit integers and exact exponent forms, which
// no double holds.
#ifndef LATCHKEY_COMMON_PROTOBUF_PROTOJSON_NUMBER_H
#define LATCHKEY_COMMON_PROTOBUF_PROTOJSON_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"

// "-1", "1.50", "1e5": JSON's grammar for a number, and nothing around it.
bool protojson_number_is_one(struct bytes text);

enum protojson_number_result {
    PROTOJSON_NUMBER_OK,
    PROTOJSON_NUMBER_MALFORMED,    // no number
    PROTOJSON_NUMBER_NOT_WHOLE,    // 1.5
    PROTOJSON_NUMBER_OUT_OF_RANGE, // beyond what the type holds
};

// Whole numbers from `min` to `max`, in any form: "1.0", "10e-1" and "1" are the same. The result is written
// only with OK; one above INT64_MAX as its two's complement.
MUST_CHECK enum protojson_number_result protojson_number_parse_whole(struct bytes text, int64_t min,
                                                                     uint64_t max, uint64_t *ret_value);

// JSON's numbers, "NaN", "Infinity" and "-Infinity". Never NOT_WHOLE. OUT_OF_RANGE: rounds to infinity.
MUST_CHECK enum protojson_number_result protojson_number_parse_double(const char *text, double *ret_value);
MUST_CHECK enum protojson_number_result protojson_number_parse_float(const char *text, float *ret_value);

// A short decimal form that reads back as the same value, or one of the three names. Returns the
// length.
#define PROTOJSON_NUMBER_TEXT_MAX 31
size_t protojson_number_format_double(double value, char ret_text[PROTOJSON_NUMBER_TEXT_MAX + 1]);
size_t protojson_number_format_float(float value, char ret_text[PROTOJSON_NUMBER_TEXT_MAX + 1]);

#endif
