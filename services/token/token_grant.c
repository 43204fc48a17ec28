#include "services/token/token_grant.h"

#include "common/access/decision.h"
#include "common/access/domain.h"
#include "common/base/buffer.h"
#include "common/base/clock.h"

// What is told of a long list; the rest is counted.
#define NAMED_MAX 20

// Everything of one kind that is too much, as one line of text.
struct excess {
    struct buffer names;
    size_t count;
};

static void add_excess(struct excess *excess, struct bytes name) {
    if (++excess->count > NAMED_MAX)
        return;
    if (excess->count > 1)
        buffer_append_text(&excess->names, ", ");
    buffer_append(&excess->names, name);
}

// Says in the fault what is too much, if anything is, and lets the memory go. `instead` is the end of the
// sentence: "; type ...", or "".
static void tell_excess(struct excess *excess, const char *key, const char *what, const char *instead,
                        struct fault *fault) {
    struct bytes names = buffer_get_bytes(&excess->names);
    if (excess->names.failed)
        fault_set_no_memory(fault);
    else if (excess->count > 0) {
        size_t unnamed = excess->count > NAMED_MAX ? excess->count - NAMED_MAX : 0;
        fault_set(fault, STATUS_PERMISSION_DENIED, "GRANT_EXCEEDS_CALLER",
                  "a token may not exceed its maker: %s %.*s%s%s", what, BYTES_FORMAT(names),
                  unnamed ? " and more" : "", instead);
        fault_add_detail(fault, key, "%.*s", BYTES_FORMAT(names));
    }
    buffer_fini(&excess->names);
}

// ---- permissions ----

static void check_permissions(const struct token_draft *draft, const struct token_maker *maker,
                              struct arena *arena, struct fault *fault) {
    struct excess excess = {0};
    for (size_t i = 0; i < draft->permission_count; i++) {
        struct permission_set *covered =
            permission_set_new_in_arena(arena, permission_catalogue_get_limit(maker->catalogue));
        if (!covered) {
            fault_set_no_memory(fault);
            break;
        }
        // An unknown grant, which the rules refuse before, grants nothing.
        bool covers_any = permission_catalogue_expand(maker->catalogue, draft->permissions[i], covered);
        if (covers_any && !permission_set_contains_all(maker->permissions, covered))
            add_excess(&excess, draft->permissions[i]);
    }
    tell_excess(&excess, "permissions", "you may not do all of", "", fault);
}

static void check_groups(const struct token_draft *draft, const struct token_maker *maker,
                         struct arena *arena, struct fault *fault) {
    struct group_list wanted;
    const char *names;
    if (!group_list_pick(draft->permissions, draft->permission_count, arena, &wanted)) {
        fault_set_no_memory(fault);
        return;
    }
    const char *excess =
        group_list_describe_excess(maker->catalogue, &wanted, &maker->groups, arena, fault, &names);
    if (!excess)
        return;
    fault_set(
        fault, STATUS_PERMISSION_DENIED, "GRANT_EXCEEDS_CALLER",
        "a token may not exceed its maker: %s covers what the catalogue gets later, too, which you do not "
        "hold%s%s",
        excess, *names ? "; type the names instead: " : "", names);
    fault_add_detail(fault, "groups", "%s", excess);
}

// ---- addresses ----

static void add_prefix(struct excess *excess, const struct ip_prefix *prefix) {
    char text[IP_PREFIX_TEXT_MAX + 1];
    ip_prefix_format(prefix, text);
    add_excess(excess, bytes_of_text(text));
}

// "; type addresses within 10.0.0.0/8, 192.0.2.0/24".
static const char *describe_list(const struct prefix_list *list, struct arena *arena, struct fault *fault) {
    struct excess within = {0};
    for (size_t i = 0; i < list->count && i < NAMED_MAX; i++)
        add_prefix(&within, &list->prefixes[i]);
    const char *text = within.names.failed
                           ? NULL
                           : arena_format(arena, "; type addresses within %.*s%s",
                                          BYTES_FORMAT(buffer_get_bytes(&within.names)),
                                          list->count > NAMED_MAX ? " or the rest of it" : "");
    buffer_fini(&within.names);
    if (text)
        return text;
    fault_set_no_memory(fault);
    return "";
}

// One of the lists that bound the maker.
struct bound {
    const char *key, *what; // of the detail, and at the beginning of the sentence
    const struct prefix_list *list;
};

static void check_bound(const struct token_draft *draft, const struct bound *bound, struct arena *arena,
                        struct fault *fault) {
    struct excess excess = {0};
    if (bound->list->count == 0)
        return;
    if (draft->ip_count == 0)
        add_excess(&excess, BYTES_LITERAL("any address (an empty list)"));
    for (size_t i = 0; i < draft->ip_count; i++)
        if (!prefix_list_covers(bound->list, &draft->ips[i]))
            add_prefix(&excess, &draft->ips[i]);
    const char *instead = excess.count > 0 ? describe_list(bound->list, arena, fault) : "";
    tell_excess(&excess, bound->key, bound->what, instead, fault);
}

static void check_ips(const struct token_draft *draft, struct uuid owner_id, const struct token_maker *maker,
                      struct arena *arena, struct fault *fault) {
    const struct bound of_token = {
        "allowedIps", "the list of addresses of the token that you call with does not hold", &maker->ips};
    const struct bound of_member = {"memberAllowedIps",
                                    "the list of addresses that you have as a member does not hold",
                                    &maker->member_ips};
    bool has_same_owner = !uuid_is_zero(owner_id) && uuid_is_equal(owner_id, maker->member_id);
    check_bound(draft, &of_token, arena, fault);
    if (!has_same_owner)
        check_bound(draft, &of_member, arena, fault);
}

// ---- domains ----

// "*.b.c" covers "a.b.c" and "*.a.b.c" and itself; "b.c" covers itself alone.
static bool covers_domain(struct bytes outer, struct bytes inner) {
    struct bytes wildcard = BYTES_LITERAL("*.");
    if (bytes_is_equal(outer, inner))
        return true;
    if (!bytes_has_prefix(outer, wildcard))
        return false;
    // With its dot, so that it begins at the border of a label.
    struct bytes suffix = bytes_of(outer.data + 1, outer.len - 1);
    return inner.len > suffix.len &&
           bytes_is_equal(bytes_of(inner.data + inner.len - suffix.len, suffix.len), suffix);
}

static bool is_covered(struct bytes domain, const struct token_maker *maker) {
    for (size_t i = 0; i < maker->domain_count; i++)
        if (covers_domain(maker->domains[i], domain))
            return true;
    return false;
}

static void check_domains(const struct token_draft *draft, const struct token_maker *maker,
                          struct fault *fault) {
    struct excess excess = {0};
    if (maker->domain_count == 0 || !(draft->channels & CHANNEL_BIT(CHANNEL_UI)))
        return;
    if (draft->domain_count == 0)
        add_excess(&excess, BYTES_LITERAL("any domain (an empty list)"));
    for (size_t i = 0; i < draft->domain_count; i++)
        if (!is_covered(draft->domains[i], maker))
            add_excess(&excess, draft->domains[i]);
    tell_excess(&excess, "allowedDomains", "your own list of domains does not hold", "", fault);
}

// ---- time ----

static void check_expiry(const struct token_draft *draft, const struct token_maker *maker,
                         struct fault *fault) {
    if (draft->expires_at_ms <= maker->expires_at_ms)
        return;
    fault_set(fault, STATUS_PERMISSION_DENIED, "GRANT_EXCEEDS_CALLER",
              "a token may not exceed its maker: yours expires, and this one would outlive it");
    fault_add_detail(fault, "expiresAtMs", "%lld", (long long)maker->expires_at_ms);
}

enum status token_check_grant(const struct token_draft *draft, struct uuid owner_id,
                              const struct token_maker *maker, struct arena *arena, struct fault *fault) {
    check_permissions(draft, maker, arena, fault);
    check_groups(draft, maker, arena, fault);
    check_ips(draft, owner_id, maker, arena, fault);
    check_domains(draft, maker, fault);
    check_expiry(draft, maker, fault);
    return fault->status;
}
