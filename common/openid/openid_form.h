// Fields of a form or a query, as they are written: NAME=VALUE between '&', all but letters, digits and
// "-._~" as %XX.
#ifndef LATCHKEY_COMMON_OPENID_FORM_H
#define LATCHKEY_COMMON_OPENID_FORM_H

#include "common/base/buffer.h"

void openid_form_append_encoded(struct buffer *text, struct bytes value);

// `separator` stands before it; 0 = nothing does. `name` needs no encoding.
void openid_form_append(struct buffer *text, char separator, const char *name, struct bytes value);

#endif
