// Reading mail the plain way, for tests of what writes it.
#ifndef LATCHKEY_TESTS_UNIT_PLAIN_MAIL_H
#define LATCHKEY_TESTS_UNIT_PLAIN_MAIL_H

#include <stdbool.h>

#include "common/base/buffer.h"
#include "common/base/bytes.h"

// ASCII, every CR and LF part of a CRLF, at most 78 characters in a line.
bool plain_mail_is_clean(struct bytes mail);

// The value of the header, unfolded, encoded words decoded; false if there is not exactly one.
bool plain_mail_read_header(struct bytes mail, const char *name, struct buffer *to);

// Quoted-printable back to what it was, lines ending with LF.
void plain_mail_decode(struct bytes body, struct buffer *to);

#endif
