// The mirror of the table in row_reader.c, field by field.
#include "services/validator/follow/row_writer.h"

#include "common/access/decision.h"
#include "common/base/clock.h"
#include "common/db/copy_writer.h"

static void begin(struct buffer *to, enum row_kind kind) {
    copy_write_row(to, (unsigned)row_kind_get_columns(kind));
}

void row_write_permission(struct buffer *to, const struct permission_definition *definition) {
    begin(to, ROW_PERMISSION);
    copy_write_bytes(to, definition->name);
    copy_write_bool(to, definition->is_operator_only);
}

void row_write_company(struct buffer *to, const struct company_row *row) {
    begin(to, ROW_COMPANY);
    copy_write_uuid(to, &row->company_id);
    copy_write_bool(to, row->is_suspended);
    copy_write_bytes(to, row->external_id);
}

void row_write_whitelist(struct buffer *to, const struct whitelist_row *row) {
    begin(to, ROW_WHITELIST);
    copy_write_uuid(to, &row->company_id);
    copy_write_bool(to, row->is_enabled);
    copy_write_int16(to, row->scope);
    copy_write_uuid(to, &row->live_list_id);
}

void row_write_entry(struct buffer *to, const struct uuid *company_id, const struct ip_set_entry *entry) {
    begin(to, ROW_ENTRY);
    copy_write_uuid(to, company_id);
    copy_write_prefix(to, &entry->prefix);
    copy_write_time_ms(to, entry->ends_at_ms, CLOCK_NEVER_MS);
}

void row_write_role(struct buffer *to, const struct role_row *row) {
    begin(to, ROW_ROLE);
    copy_write_uuid(to, &row->role_id);
    copy_write_uuid(to, &row->company_id);
    copy_write_bool(to, row->is_administrator);
    copy_write_texts(to, row->grants, row->grant_count);
}

void row_write_member(struct buffer *to, const struct member_row *row) {
    begin(to, ROW_MEMBER);
    copy_write_uuid(to, &row->member_id);
    copy_write_uuid(to, &row->company_id);
    copy_write_bool(to, row->is_removed);
    copy_write_prefixes(to, row->ips, row->ip_count);
    copy_write_uuids(to, row->role_ids, row->role_count);
}

static char get_letter(uint8_t kind) {
    return kind == TOKEN_KIND_ACCESS ? 'a' : kind == TOKEN_KIND_LOGIN ? 'l' : '?';
}

void row_write_token(struct buffer *to, const struct token_row *row) {
    begin(to, ROW_TOKEN);
    copy_write_bytes(to, bytes_of(&row->fingerprint, sizeof(row->fingerprint)));
    copy_write_uuid(to, &row->token_id);
    copy_write_uuid(to, &row->company_id);
    copy_write_uuid_or_null(to, &row->member_id);
    copy_write_char(to, get_letter(row->kind));
    copy_write_int16(to, row->channels);
    copy_write_bool(to, row->is_deactivated);
    copy_write_bool(to, row->is_suspended);
    copy_write_time_ms(to, row->suspended_until_ms, CLOCK_NEVER_MS);
    copy_write_time_ms(to, row->not_before_ms, CLOCK_ALWAYS_MS);
    copy_write_time_ms(to, row->expires_at_ms, CLOCK_NEVER_MS);
    copy_write_bytes(to, row->external_id);
    copy_write_texts(to, row->rule.grants, row->rule.grant_count);
    copy_write_texts(to, row->rule.domains, row->rule.domain_count);
    copy_write_prefixes(to, row->rule.ips, row->rule.ip_count);
}
