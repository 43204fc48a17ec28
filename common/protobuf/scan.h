// Judges an inbound message against its descriptor before protobuf-c unpacks it, because protobuf-c does not
// check UTF-8, cuts strings at a NUL in silence, has no recursion limit, and turns a few bytes into many.
// What passes unpacks into a bounded amount of memory and means what its sender wrote.
#ifndef LATCHKEY_COMMON_PROTOBUF_SCAN_H
#define LATCHKEY_COMMON_PROTOBUF_SCAN_H

#include <protobuf-c/protobuf-c.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"

#define SCAN_DEPTH_MAX 32      // messages within messages
#define SCAN_FIELDS_MAX 262144 // fields over all levels, elements of packed ones included

enum scan_result {
    SCAN_OK,
    SCAN_TRUNCATED,     // ends inside a field, or a length points beyond the end
    SCAN_BAD_VARINT,    // longer than ten bytes; a tag or length, than five
    SCAN_BAD_TAG,       // field number 0 or above 2^29-1, or a group or an undefined wire type
    SCAN_BAD_WIRE_TYPE, // a known field with a wire type that its declaration does not allow
    SCAN_BAD_UTF8,      // in a string
    SCAN_NUL_IN_STRING,
    SCAN_TOO_DEEP,
    SCAN_TOO_MANY_FIELDS,
};

// Unknown fields are skipped, after their framing has been checked. Allocates nothing.
MUST_CHECK enum scan_result scan_message(const ProtobufCMessageDescriptor *descriptor, struct bytes message);

const char *scan_result_get_text(enum scan_result result); // a sentence; static storage

#endif
