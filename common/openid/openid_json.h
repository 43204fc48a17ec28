// JSON of a provider, whom nothing is believed before it has been looked at.
#ifndef LATCHKEY_COMMON_OPENID_JSON_H
#define LATCHKEY_COMMON_OPENID_JSON_H

#include <jansson.h>

#include "common/base/bytes.h"

// An object without duplicates; NULL for anything else. Owned, by json_decref(), which wipes it.
json_t *openid_json_read(struct bytes text);

// NULL where there is no text of that name, or one with control characters (a NUL is one), or one that is
// longer than `max` bytes. Borrows; `object` may be NULL.
const char *openid_json_find_text(const json_t *object, const char *name, size_t max);

#endif
