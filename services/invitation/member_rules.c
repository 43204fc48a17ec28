#include "services/invitation/member_rules.h"

#include <string.h>

#include "common/access/lock_out.h"
#include "common/base/clock.h"
#include "services/invitation/email_address.h"

static bool is_wished(const struct member_wish *wish, enum member_field field) {
    return (wish->fields >> field & 1) != 0;
}

static const char *path_of(const struct member_wish *wish, const char *name, struct fault *fault) {
    return fault_path(fault, "%s%s", wish->path, name);
}

static const char *check_email(const struct member_wish *wish, struct arena *arena, struct fault *fault) {
    struct email_address address;
    enum email_parse_result result = email_address_parse(bytes_of_text(wish->email), &address);
    const char *copy = result == EMAIL_PARSE_OK ? arena_copy_text(arena, address.text) : "";
    if (result == EMAIL_PARSE_NO_MEMORY || !copy)
        fault_set_no_memory(fault);
    else if (result != EMAIL_PARSE_OK)
        fault_add_field(fault, path_of(wish, "email", fault), "%s", email_parse_result_get_text(result));
    return copy;
}

static const char *check_characters(const char *text, size_t max, const struct member_wish *wish,
                                    const char *name, struct fault *fault) {
    if (bytes_count_code_points(bytes_of_text(text)) > max)
        fault_add_field(fault, path_of(wish, name, fault), "type at most %zu characters", max);
    return text;
}

static const char *check_bytes(const char *text, const struct member_wish *wish, const char *name,
                               struct fault *fault) {
    if (strlen(text) > MEMBER_ISSUER_BYTES_MAX)
        fault_add_field(fault, path_of(wish, name, fault), "type at most %d bytes", MEMBER_ISSUER_BYTES_MAX);
    return text;
}

static void check_texts(const struct member_wish *wish, struct arena *arena, struct fault *fault,
                        struct member_draft *draft) {
    if (is_wished(wish, MEMBER_EMAIL))
        draft->email = check_email(wish, arena, fault);
    if (is_wished(wish, MEMBER_DISPLAY_NAME))
        draft->display_name =
            check_characters(wish->display_name, MEMBER_NAME_MAX, wish, "display_name", fault);
    if (is_wished(wish, MEMBER_ISSUER))
        draft->issuer = check_bytes(wish->issuer, wish, "issuer", fault);
    if (is_wished(wish, MEMBER_SUBJECT))
        draft->subject = check_bytes(wish->subject, wish, "subject", fault);
    if (is_wished(wish, MEMBER_EXTERNAL_ID))
        draft->external_id =
            check_characters(wish->external_id, MEMBER_EXTERNAL_ID_MAX, wish, "external_id", fault);
}

enum status member_check_wish(const struct member_wish *wish, struct arena *arena, struct fault *fault,
                              struct member_draft *draft) {
    check_texts(wish, arena, fault, draft);
    if (is_wished(wish, MEMBER_ROLE_IDS))
        role_ids_parse(wish->role_ids, wish->role_id_count, path_of(wish, "role_ids", fault), arena, fault,
                       &draft->roles);
    if (is_wished(wish, MEMBER_ALLOWED_IPS))
        prefix_list_parse(wish->allowed_ips, wish->allowed_ip_count, MEMBER_IPS_MAX,
                          path_of(wish, "allowed_ips", fault), arena, fault, &draft->allowed_ips);
    return fault->status;
}

enum status member_check_identity(const struct member_draft *draft, const char *path, struct fault *fault) {
    if (!*draft->issuer && *draft->subject)
        fault_add_field(fault, fault_path(fault, "%sissuer", path),
                        "type the identity provider too, or leave subject empty");
    if (*draft->issuer && !*draft->subject)
        fault_add_field(fault, fault_path(fault, "%ssubject", path),
                        "type the person's id at the identity provider too, or leave issuer empty");
    return fault->status;
}

enum status member_check_lock_out(const struct member_draft *draft, const struct ip_address *caller,
                                  struct fault *fault) {
    bool is_let_in = prefix_list_admits(&draft->allowed_ips, caller);
    struct lock_out change = {.address = *caller,
                              .let_in_until_ms = CLOCK_NEVER_MS,
                              .would_until_ms = is_let_in ? CLOCK_NEVER_MS : CLOCK_ALWAYS_MS};
    return lock_out_check(&change, fault);
}

// Whether all of the list lies in both together; a bound that is empty bounds nobody.
static enum status is_within_either(const struct prefix_list *list, const struct prefix_list *before,
                                    const struct prefix_list *bound, struct arena *arena,
                                    bool *ret_is_within) {
    struct prefix_list either = {ARENA_NEW_ARRAY(arena, struct ip_prefix, before->count + bound->count), 0};
    *ret_is_within = before->count == 0 || bound->count == 0;
    if (*ret_is_within)
        return STATUS_OK;
    if (!either.prefixes)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < before->count; i++)
        either.prefixes[either.count++] = before->prefixes[i];
    for (size_t i = 0; i < bound->count; i++)
        either.prefixes[either.count++] = bound->prefixes[i];
    return prefix_list_compare_reach(list, &either, arena, ret_is_within);
}

static enum status check_bound(const struct prefix_list *after, const struct prefix_list *before,
                               const struct prefix_list *bound, const char *whose, struct arena *arena,
                               struct fault *fault) {
    bool is_within;
    if (is_within_either(after, before, bound, arena, &is_within) != STATUS_OK)
        return fault_set_no_memory(fault);
    if (is_within)
        return STATUS_OK;
    return fault_set(
        fault, STATUS_PERMISSION_DENIED, "GRANT_EXCEEDS_CALLER",
        "you can't let a member in from where you may not be yourself: add addresses that %s holds, "
        "or have somebody without such a list change it",
        whose);
}

enum status member_check_let_in(const struct prefix_list *after, const struct prefix_list *before,
                                const struct caller *caller, struct arena *arena, struct fault *fault) {
    const struct prefix_list of_token = {caller->allowed_ips, caller->allowed_ip_count};
    const struct prefix_list of_member = {caller->member_ips, caller->member_ip_count};
    enum status status = check_bound(after, before, &of_token,
                                     "the list of addresses of the token that you call with", arena, fault);
    if (status == STATUS_OK)
        status = check_bound(after, before, &of_member, "the list of addresses that you have as a member",
                             arena, fault);
    return status;
}

bool member_is_other_person(const struct member_draft *a, const struct member_draft *b) {
    return strcmp(a->email, b->email) != 0 || strcmp(a->issuer, b->issuer) != 0 ||
           strcmp(a->subject, b->subject) != 0;
}

bool member_draft_is_equal(const struct member_draft *a, const struct member_draft *b) {
    if (member_is_other_person(a, b) || strcmp(a->display_name, b->display_name) != 0 ||
        strcmp(a->external_id, b->external_id) != 0 || a->roles.count != b->roles.count)
        return false;
    for (size_t i = 0; i < a->roles.count; i++)
        if (!uuid_is_equal(a->roles.ids[i], b->roles.ids[i]))
            return false;
    return prefix_list_is_equal(&a->allowed_ips, &b->allowed_ips);
}
