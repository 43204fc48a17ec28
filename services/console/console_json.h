// JSON as the console reads it: what browsers, and the methods, have sent.
#ifndef LATCHKEY_SERVICES_CONSOLE_CONSOLE_JSON_H
#define LATCHKEY_SERVICES_CONSOLE_CONSOLE_JSON_H

#include <jansson.h>

// "" where there is no text of that name, or one with a NUL. Borrows; `object` may be NULL.
const char *console_json_find_text(const json_t *object, const char *name);

#endif
