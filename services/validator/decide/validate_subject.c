#include "services/validator/decide/validate_subject.h"

#include "common/base/clock.h"
#include "services/validator/image/policy.h"

static void take_token(struct access_subject *access, const struct token_record *record,
                       const struct token_extra *extra, const struct policy *policy) {
    access->not_before_ms = extra ? extra->not_before_ms : CLOCK_ALWAYS_MS;
    access->suspended_until_ms = extra ? extra->suspended_until_ms : CLOCK_NEVER_MS;
    access->expires_at_ms = token_record_get_expires_at_ms(record);
    access->kind = record->kind;
    access->channels = record->channels;
    access->is_deactivated = record->is_deactivated;
    access->is_suspended = record->is_suspended;
    access->token_ips = policy->ips;
    access->domains = policy->domains;
    access->granted = policy_get_granted(policy);
}

static void take_company(struct access_subject *access, const struct company_facts *company) {
    access->is_company_suspended = company->is_suspended;
    access->is_whitelist_enabled = company->is_whitelist_enabled;
    access->whitelist_scope = company->whitelist_scope;
    access->company_ips = company->ips;
}

// An owner without a row is as good as removed.
static void take_member(struct access_subject *access, const struct member_facts *member) {
    access->is_member_removed = !member || member->is_removed;
    access->member_ips = member ? member->ips : NULL;
    access->owner = member ? member->permissions : NULL;
}

void validate_subject_take(const struct image *image, const struct token_record *record, bool is_found,
                           struct validate_subject *ret) {
    const struct company_facts *company = record ? image_get_company(image, record) : NULL;
    *ret = (struct validate_subject){.record = record, .company = company, .is_decoy = !is_found};
    if (!company)
        return;
    ret->extra = image_get_extra(image, record);
    take_token(&ret->access, record, ret->extra, image_get_policy(image, record));
    ret->access.is_deactivated |= !is_found;
    take_company(&ret->access, company);
    ret->access.is_company_owned = !record->has_member;
    if (record->has_member) {
        ret->member = image_get_member(image, record);
        take_member(&ret->access, ret->member);
    }
}

bool validate_subject_find(const struct image *image, const struct digest *digest,
                           struct validate_subject *ret) {
    bool is_found;
    const struct token_record *record = image_find_token_or_decoy(image, digest, &is_found);
    validate_subject_take(image, record, is_found, ret);
    return is_found && ret->company;
}

void validate_subject_hide(struct validate_subject *subject, bool is_hidden) {
    subject->is_decoy |= is_hidden;
    subject->access.is_deactivated |= is_hidden;
}
