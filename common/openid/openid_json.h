// JSON of a provider, whom nothing is believed before it has been looked at.
#ifndef LATCHKEY_COMMON_OPENID_JSON_H
#define LATCHKEY_COMMON_OPENID_JSON_H

#include <jansson.h>

// NULL where there is no text of that name, or one with control characters (a NUL is one), or one that is
// longer than `max` bytes. Borrows; `object` may be NULL.
const char *openid_json_find_text(const json_t *object, const char *name, size_t max);

#endif
