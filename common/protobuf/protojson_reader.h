// Inside of protojson: what reading has at hand everywhere, and the parts that it is made of.
#ifndef LATCHKEY_COMMON_PROTOBUF_PROTOJSON_READER_H
#define LATCHKEY_COMMON_PROTOBUF_PROTOJSON_READER_H

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>

#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/protobuf/protojson.h"

struct protojson_reader {
    const struct protojson_options *options;
    struct arena *arena;
    unsigned depth, fields; // held to scan.h's limits
    const char *text;       // of the refusal; NULL when memory ran out
};

// Where a value stands: a path that costs nothing until somebody asks. On the stack of who reads the value.
struct protojson_place {
    const struct protojson_place *outer; // NULL: the whole text, which has no name
    enum { PROTOJSON_PLACE_FIELD, PROTOJSON_PLACE_ELEMENT, PROTOJSON_PLACE_KEY } type;
    const char *name; // of a field or a map's key
    size_t index;     // of an element
};

// "accessToken.expiresAt: " and the sentence. Returns MALFORMED.
enum status protojson_refuse(struct protojson_reader *reader, const struct protojson_place *place,
                             const char *format, ...) PRINTF_LIKE(3, 4);

// A value as a sentence names it: "tomorrow" with its quotes, 12, null, a list. Only the beginning of a long
// text: it may be a secret at the wrong place. In the arena; "it" when memory ran out.
const char *protojson_quote(struct protojson_reader *reader, const json_t *value);
const char *protojson_quote_text(struct protojson_reader *reader, struct bytes text);

// '; did you mean "label"?', or "" where nothing is near.
const char *protojson_suggest(struct protojson_reader *reader, const char *word, const char *const *known,
                              size_t count);

// One more field of the message that the text stands for. TOO_LARGE.
MUST_CHECK enum status protojson_count_field(struct protojson_reader *reader);

// One message deeper. TOO_LARGE. Who leaves it takes one off `depth`.
MUST_CHECK enum status protojson_enter(struct protojson_reader *reader);

// Reads one value of the field's type, which is no message, into the member or element at `at`. NOT_FOUND: an
// enum's name that is not known and is to be passed over; nothing was written then.
MUST_CHECK enum status protojson_read_scalar(struct protojson_reader *reader,
                                             const struct protojson_place *place, json_t *value,
                                             const ProtobufCFieldDescriptor *field, void *at);

// The key of a map's pair.
MUST_CHECK enum status protojson_read_key(struct protojson_reader *reader,
                                          const struct protojson_place *place, const char *key,
                                          const ProtobufCFieldDescriptor *field, void *at);

// A field of `message`, of any label; null leaves it unset, unless null is a value of it.
MUST_CHECK enum status protojson_read_field(struct protojson_reader *reader,
                                            const struct protojson_place *place, json_t *value,
                                            const ProtobufCFieldDescriptor *field, ProtobufCMessage *message);

// All fields of an object. `passed_over` is a key that is none, or NULL.
MUST_CHECK enum status protojson_read_fields(struct protojson_reader *reader,
                                             const struct protojson_place *place, json_t *object,
                                             const char *passed_over, ProtobufCMessage *message);

MUST_CHECK enum status protojson_read_message(struct protojson_reader *reader,
                                              const struct protojson_place *place, json_t *value,
                                              const ProtobufCMessageDescriptor *type,
                                              ProtobufCMessage **ret_message);

// An empty message of a type with a JSON of its own, filled by it.
MUST_CHECK enum status protojson_read_known(struct protojson_reader *reader,
                                            const struct protojson_place *place, json_t *value,
                                            ProtobufCMessage *message);

#endif
