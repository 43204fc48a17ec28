#include "services/whitelist/whitelist_rules.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/typeid.h"

// ---- the fields of one entry, named under `path` ----

static void check_text(const char *text, size_t max, const char *path, const char *name,
                       struct fault *fault) {
    if (bytes_count_code_points(bytes_of_text(text)) > max)
        fault_add_field(fault, fault_path(fault, "%s.%s", path, name), "type at most %zu characters", max);
}

static void check_expiry(int64_t expires_at_ms, const char *path, int64_t now_ms, struct fault *fault) {
    if (expires_at_ms <= now_ms)
        fault_add_field(fault, fault_path(fault, "%s.expires_at", path), "type a time in the future");
}

static void check_width(const struct ip_prefix *prefix, const char *path, const char *name,
                        const struct whitelist_terms *terms, struct fault *fault) {
    if (prefix->bits == 0 && !terms->is_forced)
        fault_add_field(
            fault, fault_path(fault, "%s.%s", path, name),
            "type more checking bits: with 0 it lets everybody in; set force if that is what you want");
}

static void check_range(const char *address, uint32_t bits, const char *path,
                        const struct whitelist_terms *terms, struct fault *fault,
                        struct ip_prefix *ret_prefix) {
    struct bytes text = bytes_of_text(address);
    enum ip_parse_result result = ip_prefix_parse_with_bits(text, bits, ret_prefix);
    if (result != IP_PARSE_OK)
        fault_add_field(fault, fault_path(fault, "%s.address", path), "%s", ip_parse_result_get_text(result));
    else if (text.len > WHITELIST_ADDRESS_MAX)
        fault_add_field(fault, fault_path(fault, "%s.address", path), "type at most %d characters",
                        WHITELIST_ADDRESS_MAX);
    else
        check_width(ret_prefix, path, "address", terms, fault);
}

// ---- new entries ----

static void check_wish(const struct whitelist_wish *wish, size_t index, const struct whitelist_terms *terms,
                       struct fault *fault, struct ip_prefix *ret_prefix) {
    char path[sizeof("entries[]") + 20];
    snprintf(path, sizeof(path), "entries[%zu]", index);
    check_range(wish->address, wish->bits, path, terms, fault, ret_prefix);
    check_text(wish->note, WHITELIST_NOTE_MAX, path, "note", fault);
    check_text(wish->owner, WHITELIST_OWNER_MAX, path, "owner", fault);
    check_expiry(wish->expires_at_ms, path, terms->now_ms, fault);
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

// ---- an entry that is there ----

#define ENTRY_PATH "entry"

static bool names(const struct whitelist_amendment *amendment, enum whitelist_field field) {
    return amendment->fields & WHITELIST_FIELD_BIT(field);
}

// New bits on the address as typed, of which only its slash is gone: host bits may come to count again. The
// bits are those of the canonical form, which is what answers show, also where the mapped form was typed.
static void amend_bits(uint32_t bits, const struct whitelist_terms *terms, struct arena *arena,
                       struct fault *fault, struct whitelist_entry *entry) {
    struct bytes rest = bytes_of_text(entry->address);
    struct bytes typed = bytes_split(&rest, '/');
    struct ip_address address;
    if (ip_address_parse(typed, &address) != IP_PARSE_OK) // written by another hand: its range is all we know
        address = entry->prefix.address;
    if (bits > ip_address_get_width_bits(&address)) {
        fault_add_field(fault, ENTRY_PATH ".checking_bits", "%s",
                        ip_parse_result_get_text(IP_PARSE_BITS_TOO_LARGE));
        return;
    }
    entry->prefix = ip_prefix_of(&address, bits);
    check_width(&entry->prefix, ENTRY_PATH, "checking_bits", terms, fault);
    if (!rest.data)
        return;
    char canonical[IP_ADDRESS_TEXT_MAX + 1];
    ip_address_format(&address, canonical);
    entry->address = arena_format(arena, "%s/%u", canonical, bits);
    if (!entry->address)
        (void)fault_set_no_memory(fault);
}

static void amend_range(const struct whitelist_amendment *amendment, const struct whitelist_terms *terms,
                        struct arena *arena, struct fault *fault, struct whitelist_entry *entry) {
    uint32_t bits = names(amendment, WHITELIST_FIELD_BITS) ? amendment->wish.bits : IP_PREFIX_BITS_UNSET;
    if (!names(amendment, WHITELIST_FIELD_ADDRESS) && bits != IP_PREFIX_BITS_UNSET) {
        amend_bits(bits, terms, arena, fault, entry);
        return;
    }
    if (names(amendment, WHITELIST_FIELD_ADDRESS))
        entry->address = amendment->wish.address;
    check_range(entry->address, bits, ENTRY_PATH, terms, fault, &entry->prefix);
}

enum status whitelist_amend(const struct whitelist_entry *present,
                            const struct whitelist_amendment *amendment, const struct whitelist_terms *terms,
                            struct arena *arena, struct fault *fault, struct whitelist_entry *ret_entry) {
    const struct whitelist_wish *wish = &amendment->wish;
    struct whitelist_entry entry = *present;
    if (names(amendment, WHITELIST_FIELD_ADDRESS) || names(amendment, WHITELIST_FIELD_BITS))
        amend_range(amendment, terms, arena, fault, &entry);
    if (names(amendment, WHITELIST_FIELD_NOTE)) {
        check_text(wish->note, WHITELIST_NOTE_MAX, ENTRY_PATH, "note", fault);
        entry.note = wish->note;
    }
    if (names(amendment, WHITELIST_FIELD_OWNER)) {
        check_text(wish->owner, WHITELIST_OWNER_MAX, ENTRY_PATH, "owner", fault);
        entry.owner = wish->owner;
    }
    if (names(amendment, WHITELIST_FIELD_DISABLED))
        entry.is_disabled = wish->is_disabled;
    if (names(amendment, WHITELIST_FIELD_EXPIRES_AT)) {
        check_expiry(wish->expires_at_ms, ENTRY_PATH, terms->now_ms, fault);
        entry.expires_at_ms = wish->expires_at_ms;
    }
    *ret_entry = entry;
    return fault->status;
}

bool whitelist_is_same(const struct whitelist_entry *a, const struct whitelist_entry *b) {
    return strcmp(a->address, b->address) == 0 && ip_prefix_compare(&a->prefix, &b->prefix) == 0 &&
           strcmp(a->note, b->note) == 0 && strcmp(a->owner, b->owner) == 0 &&
           a->is_disabled == b->is_disabled && a->expires_at_ms == b->expires_at_ms;
}

// ---- how much ----

enum { UNSWEPT_PER_DRAFT = 5, BEGINNING_RETRY_AFTER_MS = 1000 };

enum status whitelist_check_room(int64_t present, int64_t added, const struct whitelist_limits *limits,
                                 struct fault *fault) {
    if (present + added <= limits->company_entries)
        return STATUS_OK;
    return fault_set(fault, STATUS_EXHAUSTED, "COMPANY_ENTRIES_LIMIT",
                     "the list has %" PRId64 " entries and may have %" PRId64
                     "; remove some that nobody needs",
                     present, limits->company_entries);
}

enum status whitelist_check_draft_room(int64_t present, int64_t added, const struct whitelist_limits *limits,
                                       struct fault *fault) {
    if (present + added <= limits->draft_entries)
        return STATUS_OK;
    return fault_set(fault, STATUS_EXHAUSTED, "DRAFT_ENTRIES_LIMIT",
                     "a draft may have %" PRId64 " entries, not %" PRId64
                     "; join ranges that lie side by side",
                     limits->draft_entries, present + added);
}

enum status whitelist_check_draft_count(const struct whitelist_draft *drafts, size_t count,
                                        const struct whitelist_limits *limits, struct fault *fault) {
    if (count < (size_t)limits->drafts)
        return STATUS_OK;
    for (size_t i = 0; i < count; i++) {
        char key[sizeof("draft") + 20];
        snprintf(key, sizeof(key), "draft%zu", i + 1);
        fault_add_detail(fault, key, "%s", typeid_of(TYPEID_DRAFT, drafts[i].draft_id).text);
    }
    return fault_set(fault, STATUS_EXHAUSTED, "TOO_MANY_DRAFTS",
                     "the company has %zu drafts, as many as it may; publish or discard one, such as %s",
                     count, typeid_of(TYPEID_DRAFT, drafts[count - 1].draft_id).text);
}

enum status whitelist_check_unswept(int64_t count, const struct whitelist_limits *limits,
                                    struct fault *fault) {
    if (count < UNSWEPT_PER_DRAFT * limits->drafts)
        return STATUS_OK;
    fault_set(fault, STATUS_EXHAUSTED, "TOO_MANY_UNSWEPT_LISTS",
              "%" PRId64 " lists of the company are drafts, or replaced or discarded and not removed yet; "
              "try again when some are gone",
              count);
    fault_set_retry_after_ms(fault, (uint32_t)limits->sweep_ms);
    return STATUS_EXHAUSTED;
}

enum status whitelist_refuse_second_beginning(struct fault *fault) {
    fault_set_retry_after_ms(fault, BEGINNING_RETRY_AFTER_MS);
    return fault_set(fault, STATUS_ABORTED, "DRAFT_BEING_BEGUN",
                     "the company begins another draft at this moment, which takes up to a minute where it "
                     "copies a large list; try again when that is done");
}
