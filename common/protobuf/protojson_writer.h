// Inside of protojson: what writing has at hand everywhere, and the parts that it is made of.
#ifndef LATCHKEY_COMMON_PROTOBUF_PROTOJSON_WRITER_H
#define LATCHKEY_COMMON_PROTOBUF_PROTOJSON_WRITER_H

#include <protobuf-c/protobuf-c.h>

#include "common/base/arena.h"
#include "common/base/status.h"
#include "common/protobuf/protojson.h"
#include "common/protobuf/protojson_sink.h"

struct protojson_writer {
    struct protojson_sink sink;
    const struct protojson_options *options;
    struct arena *arena; // for what Any holds
    unsigned depth;
    enum status status; // sticky: what was written after the first failure means nothing
};

void protojson_fail(struct protojson_writer *writer, enum status status);

void protojson_put(struct protojson_writer *writer, const char *text);

// As a JSON string; what is not UTF-8 fails.
void protojson_put_string(struct protojson_writer *writer, struct bytes text);

// A single member, or an element of a list, at `at`; no message.
void protojson_put_scalar(struct protojson_writer *writer, const ProtobufCFieldDescriptor *field,
                          const void *at);

// Integers and bool without quotes.
void protojson_put_bare(struct protojson_writer *writer, ProtobufCType type, const void *at);

// The member of any label.
void protojson_put_field(struct protojson_writer *writer, const ProtobufCMessage *message,
                         const ProtobufCFieldDescriptor *field);

// "name":value for every field that is to be there. `is_first` false: others stand before them.
void protojson_put_fields(struct protojson_writer *writer, const ProtobufCMessage *message, bool is_first);

// A message of a type with a JSON of its own.
void protojson_put_known(struct protojson_writer *writer, const ProtobufCMessage *message);

#endif
