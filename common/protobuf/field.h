// Fields of a message by their names in the contract, through the message's descriptor: for code that handles
// any request or answer alike (request_id, revision, a command line's tables) and so must not depend on
// generated types.
//
// A field that the message's type does not have reads as unset: "", 0, NULL. That is what lets one function
// serve requests with and without it; who needs to tell asks field_exists(). Asking for a field as something
// else than it is declared (a text as a number) is a programmer's mistake and asserted.
#ifndef LATCHKEY_COMMON_PROTOBUF_FIELD_H
#define LATCHKEY_COMMON_PROTOBUF_FIELD_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

// An empty message; NULL when out of memory.
MUST_CHECK ProtobufCMessage *field_new_message(struct arena *arena,
                                               const ProtobufCMessageDescriptor *descriptor);

bool field_exists(const ProtobufCMessageDescriptor *descriptor, const char *name);

// Reading. What is returned borrows from the message.

// Whether it is the member that is set in its oneof; of other fields, whether it differs from an empty
// message's.
bool field_is_set(const ProtobufCMessage *message, const char *name);

const char *field_get_text(const ProtobufCMessage *message, const char *name);

// Every integer type, bool and enum; uint64 above INT64_MAX wraps as in C.
int64_t field_get_integer(const ProtobufCMessage *message, const char *name);

// The name of an enum field's value, e.g. "TOKEN_STATE_ACTIVE"; "" for one that the contract does not know.
const char *field_get_enum_name(const ProtobufCMessage *message, const char *name);

struct bytes field_get_bytes(const ProtobufCMessage *message, const char *name);

// NULL if unset.
const ProtobufCMessage *field_find_message(const ProtobufCMessage *message, const char *name);

// Repeated fields. An index from field_get_count() upwards is a programmer's mistake.
size_t field_get_count(const ProtobufCMessage *message, const char *name);
const char *field_get_text_at(const ProtobufCMessage *message, const char *name, size_t index);
const char *field_get_enum_name_at(const ProtobufCMessage *message, const char *name, size_t index);
const ProtobufCMessage *field_get_message_at(const ProtobufCMessage *message, const char *name, size_t index);

// A google.protobuf.Timestamp as milliseconds since 1970, rounded down and held within int64_t; `unset_ms`
// where the field is unset (CLOCK_NEVER_MS for an end, CLOCK_ALWAYS_MS for a beginning).
int64_t field_get_time_ms(const ProtobufCMessage *message, const char *name, int64_t unset_ms);

// A google.protobuf.Duration as milliseconds, rounded towards zero and held within int64_t; 0 where unset.
int64_t field_get_duration_ms(const ProtobufCMessage *message, const char *name);

// Writing. Texts, bytes and lists are copied into `arena`, which must live as long as the message. A member
// of a oneof becomes the one that is set. NOT_FOUND if the message's type lacks the field, NO_MEMORY; the
// message is then unchanged.

enum status field_set_text(struct arena *arena, ProtobufCMessage *message, const char *name,
                           const char *text);
enum status field_set_integer(ProtobufCMessage *message, const char *name, int64_t value);
enum status field_set_bytes(struct arena *arena, ProtobufCMessage *message, const char *name,
                            struct bytes bytes);

// By the value's name; INVALID if the enum has none of that name.
enum status field_set_enum_name(ProtobufCMessage *message, const char *name, const char *value);

enum status field_set_time_ms(struct arena *arena, ProtobufCMessage *message, const char *name,
                              int64_t at_ms);
enum status field_set_duration_ms(struct arena *arena, ProtobufCMessage *message, const char *name,
                                  int64_t duration_ms);

// Puts an empty message into the field, in place of any that is there; `ret_message` is where to fill it.
enum status field_set_message(struct arena *arena, ProtobufCMessage *message, const char *name,
                              ProtobufCMessage **ret_message);

// Puts an existing message of the field's type there; borrows it.
enum status field_put_message(ProtobufCMessage *message, const char *name, const ProtobufCMessage *value);

// Repeated fields, a whole list at a time, in place of any that is there.
enum status field_set_texts(struct arena *arena, ProtobufCMessage *message, const char *name,
                            const char *const *texts, size_t count);
enum status field_set_bytes_list(struct arena *arena, ProtobufCMessage *message, const char *name,
                                 const struct bytes *list, size_t count);
enum status field_set_enum_names(struct arena *arena, ProtobufCMessage *message, const char *name,
                                 const char *const *values, size_t count);

// Existing messages of the field's type; copies the list and borrows them.
enum status field_put_messages(struct arena *arena, ProtobufCMessage *message, const char *name,
                               ProtobufCMessage *const *values, size_t count);

// `count` empty messages; `ret_messages` is the array of them.
enum status field_set_messages(struct arena *arena, ProtobufCMessage *message, const char *name, size_t count,
                               ProtobufCMessage ***ret_messages);

#endif
