// application/x-www-form-urlencoded, as the bodies of forms and the queries of addresses have it: fields
// NAME=VALUE between '&', '+' for a space, %XX for any byte.
#ifndef LATCHKEY_COMMON_APP_HTTP_FORM_H
#define LATCHKEY_COMMON_APP_HTTP_FORM_H

#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

// More fields than anybody sends.
#define HTTP_FORM_FIELDS_MAX 1024

struct http_form_field {
    struct bytes name, value;
};

struct http_form {
    const struct http_form_field *fields; // in their order
    size_t count;
};

// In the arena. MALFORMED: a '%' without two hexadecimal digits, NUL, or what is not UTF-8. TOO_LARGE: too
// many fields. NO_MEMORY. The empty text has no fields; nor has what stands between two '&' with nothing in
// it.
MUST_CHECK enum status http_form_parse(struct bytes text, struct arena *arena, struct http_form *ret_form);

// One text with its %XX and '+'. The same errors.
MUST_CHECK enum status http_form_decode(struct bytes text, struct arena *arena, struct bytes *ret_text);

#endif
