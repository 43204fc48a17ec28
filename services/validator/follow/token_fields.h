// A row of ROW_TOKEN as what an image takes. Pure, so that whoever reads rows can do it on a thread of its
// own.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_TOKEN_FIELDS_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_TOKEN_FIELDS_H

#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/crypto/fingerprint.h"
#include "services/validator/image/image_rows.h"
#include "services/validator/image/row_fields.h"

// Borrows from the row and the fields' arena. `key` makes its digest a fingerprint; NULL: it is one.
// MALFORMED or NO_MEMORY.
MUST_CHECK enum status token_row_parse(struct row_fields *fields, const struct fingerprint_key *key,
                                       struct token_row *ret_row);

#endif
