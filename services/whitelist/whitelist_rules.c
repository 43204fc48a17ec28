#include "services/whitelist/whitelist_rules.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"

static void check_text(const char *text, size_t max, const char *name, size_t index, struct fault *fault) {
    if (bytes_count_code_points(bytes_of_text(text)) > max)
        fault_add_field(fault, fault_path(fault, "entries[%zu].%s", index, name),
                        "type at most %zu characters", max);
}

static void check_range(const struct whitelist_wish *wish, size_t index, const struct whitelist_terms *terms,
                        struct fault *fault, struct ip_prefix *ret_prefix) {
    struct bytes address = bytes_of_text(wish->address);
    enum ip_parse_result result = ip_prefix_parse_with_bits(address, wish->bits, ret_prefix);
    if (result != IP_PARSE_OK)
        fault_add_field(fault, fault_path(fault, "entries[%zu].address", index), "%s",
                        ip_parse_result_get_text(result));
    else if (ret_prefix->bits == 0 && !terms->is_forced)
        fault_add_field(
            fault, fault_path(fault, "entries[%zu].address", index),
            "type more checking bits: with 0 it lets everybody in; set force if that is what you want");
    else if (address.len > WHITELIST_ADDRESS_MAX)
        fault_add_field(fault, fault_path(fault, "entries[%zu].address", index), "type at most %d characters",
                        WHITELIST_ADDRESS_MAX);
}

static void check_wish(const struct whitelist_wish *wish, size_t index, const struct whitelist_terms *terms,
                       struct fault *fault, struct ip_prefix *ret_prefix) {
    check_range(wish, index, terms, fault, ret_prefix);
    check_text(wish->note, WHITELIST_NOTE_MAX, "note", index, fault);
    check_text(wish->owner, WHITELIST_OWNER_MAX, "owner", index, fault);
    if (wish->expires_at_ms <= terms->now_ms)
        fault_add_field(fault, fault_path(fault, "entries[%zu].expires_at", index),
                        "type a time in the future");
}

bool whitelist_check_count(size_t count, const struct whitelist_limits *limits, const char *field,
                           struct fault *fault) {
    if (count > 0 && count <= (size_t)limits->call_entries)
        return true;
    fault_add_field(fault, field, "type 1 to %lld in one call, not %zu", (long long)limits->call_entries,
                    count);
    return false;
}

enum status whitelist_check_wishes(const struct whitelist_wish *wishes, size_t count,
                                   const struct whitelist_terms *terms, struct arena *arena,
                                   struct fault *fault, struct ip_prefix **ret_prefixes) {
    if (!whitelist_check_count(count, terms->limits, "entries", fault))
        return fault->status;
    struct ip_prefix *prefixes = ARENA_NEW_ARRAY(arena, struct ip_prefix, count);
    if (!prefixes)
        return fault_set_no_memory(fault);
    for (size_t i = 0; i < count; i++)
        check_wish(&wishes[i], i, terms, fault, &prefixes[i]);
    *ret_prefixes = prefixes;
    return fault->status;
}

enum status whitelist_check_room(int64_t present, size_t added, const struct whitelist_limits *limits,
                                 struct fault *fault) {
    if (present + (int64_t)added <= limits->company_entries)
        return STATUS_OK;
    return fault_set(fault, STATUS_EXHAUSTED, "COMPANY_ENTRIES_LIMIT",
                     "the list has %lld entries and may have %lld; remove some that nobody needs",
                     (long long)present, (long long)limits->company_entries);
}

// ---- settings ----

void whitelist_format_etag(int64_t version, char ret_etag[WHITELIST_ETAG_MAX + 1]) {
    snprintf(ret_etag, WHITELIST_ETAG_MAX + 1, "%" PRId64, version);
}

enum status whitelist_check_etag(const char *etag, int64_t version, struct fault *fault) {
    char present[WHITELIST_ETAG_MAX + 1];
    whitelist_format_etag(version, present);
    if (!*etag || strcmp(etag, present) == 0)
        return STATUS_OK;
    fault_add_detail(fault, "etag", "%s", present);
    return fault_set(fault, STATUS_ABORTED, "ETAG_STALE",
                     "somebody else has changed it since you read it; read it again and repeat the change");
}

// ---- the lock-out guard ----

static bool binds(const struct whitelist_outcome *outcome, const struct whitelist_asker *asker) {
    return !asker->is_acting && (outcome->scope != WHITELIST_SCOPE_LOGINS || asker->kind == TOKEN_KIND_LOGIN);
}

static enum status refuse_lock_out(const struct ip_address *caller, struct fault *fault) {
    if (caller->family == IP_FAMILY_NONE)
        return fault_set(fault, STATUS_FAILED_PRECONDITION, "LOCKS_OUT_CALLER",
                         "this would refuse you: no entry holds an address that the server can't tell; call "
                         "from one that it can, or set force");
    char address[IP_ADDRESS_TEXT_MAX + 1], entry[IP_PREFIX_TEXT_MAX + 1];
    struct ip_prefix needed = ip_prefix_of(caller, ip_address_get_width_bits(caller));
    ip_address_format(caller, address);
    ip_prefix_format(&needed, entry);
    fault_add_detail(fault, "clientIp", "%s", address);
    fault_add_detail(fault, "neededEntry", "%s", entry);
    return fault_set(fault, STATUS_FAILED_PRECONDITION, "LOCKS_OUT_CALLER",
                     "this would refuse your own address, %s; add the entry %s first, or set force", address,
                     entry);
}

enum status whitelist_check_outcome(const struct whitelist_outcome *outcome,
                                    const struct whitelist_asker *asker, struct fault *fault) {
    if (!outcome->is_enabled)
        return STATUS_OK;
    if (!outcome->lists_caller && binds(outcome, asker))
        return refuse_lock_out(&asker->address, fault);
    if (!outcome->lists_anybody)
        return fault_set(
            fault, STATUS_FAILED_PRECONDITION, "LOCKS_OUT_EVERYBODY",
            "this would refuse everybody: no entry of the list is live; add one first, or set force");
    return STATUS_OK;
}
