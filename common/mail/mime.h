// The encodings of mail: text of any language in headers (RFC 2047, encoding Q) and bodies (RFC 2045,
// quoted-printable), so that a message is ASCII with lines of at most 76 characters whatever it says. Nothing
// that is appended here can end a header early: control characters become spaces.
#ifndef LATCHKEY_COMMON_MAIL_MIME_H
#define LATCHKEY_COMMON_MAIL_MIME_H

#include "common/base/buffer.h"
#include "common/base/bytes.h"

// `Name: text`, folded, with its end of line. `text` is UTF-8.
void mime_append_text_header(struct buffer *to, const char *name, struct bytes text);

// `Name: "phrase" <address>`, or the address alone where the phrase is empty. `address` has passed
// mailbox_is_address().
void mime_append_address_header(struct buffer *to, const char *name, struct bytes phrase,
                                const char *address);

// A body of UTF-8 with LF or CRLF; every line, also the last one, ends with CRLF.
void mime_append_quoted_printable(struct buffer *to, struct bytes text);

#endif
