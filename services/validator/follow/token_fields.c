#include "services/validator/follow/token_fields.h"

#include "common/access/decision.h"
#include "common/base/clock.h"

// A letter that this release does not know is no kind at all, and such a token is refused.
static uint8_t get_kind(char letter) {
    return letter == 'a' ? TOKEN_KIND_ACCESS : letter == 'l' ? TOKEN_KIND_LOGIN : TOKEN_KIND_NONE;
}

static struct fingerprint take_fingerprint(struct row_fields *fields, const struct fingerprint_key *key) {
    if (!key)
        return row_fields_take_fingerprint(fields);
    struct digest digest = row_fields_take_digest(fields);
    return fingerprint_of(key, &digest);
}

enum status token_row_parse(struct row_fields *fields, const struct fingerprint_key *key,
                            struct token_row *ret_row) {
    struct token_row row = {0};
    row.fingerprint = take_fingerprint(fields, key);
    row.token_id = row_fields_take_uuid(fields);
    row.company_id = row_fields_take_uuid(fields);
    row.member_id = row_fields_take_uuid_or_zero(fields);
    row.kind = get_kind(row_fields_take_char(fields));
    row.channels = (uint8_t)row_fields_take_int16(fields);
    row.is_deactivated = row_fields_take_bool(fields);
    row.is_suspended = row_fields_take_bool(fields);
    row.suspended_until_ms = row_fields_take_time_ms(fields, CLOCK_NEVER_MS);
    row.not_before_ms = row_fields_take_time_ms(fields, CLOCK_ALWAYS_MS);
    row.expires_at_ms = row_fields_take_time_ms(fields, CLOCK_NEVER_MS);
    row.external_id = row_fields_take_text(fields);
    row.rule.grants = row_fields_take_texts(fields, &row.rule.grant_count);
    row.rule.domains = row_fields_take_texts(fields, &row.rule.domain_count);
    row.rule.ips = row_fields_take_prefixes(fields, &row.rule.ip_count);
    if (fields->status == STATUS_OK)
        *ret_row = row;
    return fields->status;
}
