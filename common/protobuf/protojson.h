// Messages as ProtoJSON, the JSON mapping that protobuf defines for them, by their descriptors. Reading is
// strict: what the mapping does not allow, what the wire format would not carry (scan.h) and what would be
// lost is refused, by a sentence that names the field.
#ifndef LATCHKEY_COMMON_PROTOBUF_PROTOJSON_H
#define LATCHKEY_COMMON_PROTOBUF_PROTOJSON_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

#define PROTOJSON_TEXT_DEPTH_MAX 100 // lists and objects within each other
// Values in one text: the JSON library takes up to 350 bytes for one, until the message is made.
#define PROTOJSON_VALUES_MAX 100000

// Finds message types by their full names, for what a google.protobuf.Any holds. Immutable; any thread.
struct protojson_types;

// `roots` and all types that their fields reach. NO_MEMORY. Returns owned.
MUST_CHECK enum status protojson_types_new(const ProtobufCMessageDescriptor *const *roots, size_t count,
                                           struct protojson_types **ret_types);
void protojson_types_free(struct protojson_types *types); // takes NULL

// Zeroed, it is the mapping as protobuf has it, without types for Any.
struct protojson_options {
    const struct protojson_types *types; // borrows; NULL: every Any but the empty one is refused

    // Reading: fields and enum names that the contract does not know are passed over.
    bool ignore_unknown;

    // Writing: field names as the contract has them, 64-bit integers as numbers (but what int64_t does not
    // hold), fields without presence also where they are empty, and an Any as the two fields that it has.
    bool declared_names;
    bool plain_integers;
    bool empty_fields;
    bool opaque_any;
};

// Reads into `arena`, where the message lives. MALFORMED: no JSON, or not a message of this type; TOO_LARGE:
// too deep, too many fields, or more than the arena holds. `*ret_text` then says what is wrong; static, or in
// the arena. What it quotes of the text is short and printable.
MUST_CHECK enum status protojson_unpack(const ProtobufCMessageDescriptor *descriptor, struct bytes text,
                                        const struct protojson_options *options, struct arena *arena,
                                        ProtobufCMessage **ret_message, const char **ret_text);

// Writes into `arena`, compact, with `headroom` bytes left free in front, inside of what is returned.
// NO_MEMORY; MALFORMED: a value that has no JSON, such as an Any of a type that `options` does not know, a
// time of the year 10000, or text that is not UTF-8.
MUST_CHECK enum status protojson_pack(const ProtobufCMessage *message,
                                      const struct protojson_options *options, size_t headroom,
                                      struct arena *arena, struct bytes *ret_bytes);

#endif
