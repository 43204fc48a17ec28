// Rows of an image in the form that row_reader.h reads, binary COPY. One difference from the database's: a
// token has its fingerprint in place of its digest, so `has_fingerprints` is to be set.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_ROW_WRITER_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_ROW_WRITER_H

#include "common/base/buffer.h"
#include "services/validator/follow/row_reader.h"
#include "services/validator/image/image_rows.h"

// Each appends one row; whether it fitted, the buffer tells.
void row_write_permission(struct buffer *to, const struct permission_definition *definition);
void row_write_company(struct buffer *to, const struct company_row *row);
void row_write_whitelist(struct buffer *to, const struct whitelist_row *row);
void row_write_entry(struct buffer *to, const struct uuid *company_id, const struct ip_set_entry *entry);
void row_write_role(struct buffer *to, const struct role_row *row);
void row_write_member(struct buffer *to, const struct member_row *row);
void row_write_token(struct buffer *to, const struct token_row *row);

#endif
