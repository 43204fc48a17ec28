// Names of fields: expires_at in the contract, expiresAt in JSON.
#ifndef LATCHKEY_COMMON_PROTOBUF_PROTOJSON_NAME_H
#define LATCHKEY_COMMON_PROTOBUF_PROTOJSON_NAME_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/protobuf/protojson_sink.h"

// Whether `key` is what JSON calls `declared`.
bool protojson_name_is_camel_of(const char *key, const char *declared);

void protojson_name_put_camel(struct protojson_sink *sink, const char *declared);

// In `arena`; NULL when out of memory.
char *protojson_name_to_camel(struct arena *arena, const char *declared);

// A path of names, as a field mask holds them: "accessToken.expiresAt" from access_token.expires_at. False,
// with nothing or a part written, for a path that would not come back as itself: one with an empty name or a
// name that begins with a digit, with capitals or other signs, or an underscore that no small letter follows.
MUST_CHECK bool protojson_name_put_camel_path(struct protojson_sink *sink, struct bytes path);

// The way back. False for a path that no contract's names yield: anything but letters, digits and points
// between names, and none that is empty.
MUST_CHECK bool protojson_name_put_snake_path(struct protojson_sink *sink, struct bytes path);

#endif
