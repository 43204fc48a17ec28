#include "tests/unit/plain_access.h"

#include <string.h>

#include "common/base/clock.h"
#include "tests/unit/unit.h"

// ---- permissions ----

static const uint32_t ids[PLAIN_PERMISSIONS] = {
    0, 1, 31, 63, 64, 65, 127, 128, 150, 199, PERMISSION_ID_NONE, 5000};
enum { HOLDABLE = 10, LIMIT = 200 };

uint32_t plain_get_id(size_t permission) {
    return ids[permission];
}

static bool may(const struct plain_subject *subject, size_t permission) {
    if (subject->kind == TOKEN_KIND_LOGIN)
        return subject->is_owners[permission];
    if (subject->is_company_owned)
        return subject->is_granted[permission];
    return subject->is_granted[permission] && subject->is_owners[permission];
}

static bool may_all_and_any(const struct plain_subject *subject, const struct plain_request *request) {
    bool may_any = request->any_count == 0;
    for (size_t i = 0; i < request->any_count; i++)
        may_any = may_any || may(subject, request->any[i]);
    bool may_all = true;
    for (size_t i = 0; i < request->asked_count; i++)
        may_all = may_all && may(subject, request->asked[i]);
    return may_all && may_any;
}

// ---- addresses ----

static bool get_bit(const struct ip_address *address, unsigned bit) {
    return address->bytes[bit / 8] >> (7 - bit % 8) & 1;
}

static unsigned count_common_bits(const struct plain_entry *entry, const struct ip_address *address) {
    unsigned bits = 0;
    while (bits < entry->bits && get_bit(&entry->address, bits) == get_bit(address, bits))
        bits++;
    return bits;
}

bool plain_covers(const struct plain_entry *entry, const struct ip_address *address) {
    return address->family != IP_FAMILY_NONE && entry->address.family == address->family &&
           count_common_bits(entry, address) == entry->bits;
}

static bool is_live(const struct plain_entry *entry) {
    return entry->ends_at_ms > PLAIN_NOW_MS;
}

int plain_find(const struct plain_list *list, const struct ip_address *address) {
    int found = PLAIN_NONE;
    for (size_t i = 0; i < list->count; i++) {
        const struct plain_entry *entry = &list->entries[i];
        if (!is_live(entry) || !plain_covers(entry, address))
            continue;
        if (found == PLAIN_NONE || entry->bits > list->entries[found].bits)
            found = (int)i;
    }
    return found;
}

int plain_find_nearest(const struct plain_list *list, const struct ip_address *address) {
    int found = PLAIN_NONE;
    unsigned best = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct plain_entry *entry = &list->entries[i];
        if (entry->address.family != address->family || address->family == IP_FAMILY_NONE)
            continue;
        unsigned nearness =
            plain_covers(entry, address) ? 1000 + entry->bits : count_common_bits(entry, address);
        if (nearness < 1000 && !is_live(entry))
            continue;
        if (found == PLAIN_NONE || nearness > best) {
            found = (int)i;
            best = nearness;
        }
    }
    return found;
}

static bool lists(const struct plain_list *list, const struct ip_address *address) {
    return plain_find(list, address) != PLAIN_NONE;
}

// ---- domains ----

static const char *const patterns[] = {
    "example.com", "*.example.com", "app.example.com",       "*.b.example.com", "evil.net",
    "*.evil.net",  "*.example.net", "xn--bcher-kva.example", "localhost",       "*.a.b.example.com",
};

// What pages present, and the host that it names.
static const struct {
    struct bytes presented;
    const char *host;
} origins[] = {
    {BYTES_LITERAL("https://app.example.com"), "app.example.com"},
    {BYTES_LITERAL("app.example.com"), "app.example.com"},
    {BYTES_LITERAL("https://APP.Example.COM.:443"), "app.example.com"},
    {BYTES_LITERAL("http://app.example.com:80"), "app.example.com"},
    {BYTES_LITERAL("https://app.example.com:80"), NULL},
    {BYTES_LITERAL("https://app.example.com:8443"), NULL},
    {BYTES_LITERAL("ftp://app.example.com"), NULL},
    {BYTES_LITERAL("https://app.example.com/"), NULL},
    {BYTES_LITERAL("https://user@app.example.com"), NULL},
    {BYTES_LITERAL("app.example.com\0.evil.net"), NULL},
    {BYTES_LITERAL("null"), NULL},
    {BYTES_LITERAL(""), NULL},
    {BYTES_LITERAL("example.com"), "example.com"},
    {BYTES_LITERAL("https://evilexample.com"), "evilexample.com"},
    {BYTES_LITERAL("example.com.evil.net"), "example.com.evil.net"},
    {BYTES_LITERAL("a.b.example.com"), "a.b.example.com"},
    {BYTES_LITERAL("c.a.b.example.com"), "c.a.b.example.com"},
    {BYTES_LITERAL("b.example.com"), "b.example.com"},
    {BYTES_LITERAL("https://b\xc3\xbc"
                   "cher.example"),
     "xn--bcher-kva.example"},
    {BYTES_LITERAL("https://xn--bcher-kva.example"), "xn--bcher-kva.example"},
    {BYTES_LITERAL("com"), "com"},
    {BYTES_LITERAL("http://localhost"), "localhost"},
};

// Takes the last label off; NULL at the end.
static const char *take_last_label(const char *text, size_t *len) {
    if (*len == 0)
        return NULL;
    size_t at = *len;
    while (at > 0 && text[at - 1] != '.')
        at--;
    *len = at > 0 ? at - 1 : 0;
    return text + at;
}

static size_t measure_label(const char *label) {
    return strcspn(label, ".");
}

// Label by label from the right.
static bool matches(const char *pattern, const char *host) {
    size_t pattern_len = strlen(pattern), host_len = strlen(host);
    for (;;) {
        const char *wanted = take_last_label(pattern, &pattern_len);
        const char *given = take_last_label(host, &host_len);
        if (!wanted)
            return !given;
        if (!given)
            return false;
        if (wanted[0] == '*')
            return true;
        if (measure_label(wanted) != measure_label(given) || memcmp(wanted, given, measure_label(given)) != 0)
            return false;
    }
}

static bool allows_domain(const struct plain_domains *domains, const char *host) {
    for (size_t i = 0; host && i < domains->count; i++)
        if (matches(domains->patterns[i], host))
            return true;
    return false;
}

// ---- the decision ----

static bool is_right_channel(const struct plain_subject *subject, unsigned channel) {
    if (channel == CHANNEL_API)
        return subject->is_for_api || subject->kind == TOKEN_KIND_LOGIN;
    if (channel == CHANNEL_UI)
        return subject->is_for_ui || subject->kind == TOKEN_KIND_LOGIN;
    return false;
}

static bool binds_whitelist(const struct plain_subject *subject) {
    if (!subject->is_whitelist_enabled)
        return false;
    return subject->whitelist_scope == WHITELIST_SCOPE_LOGINS ? subject->kind == TOKEN_KIND_LOGIN : true;
}

bool plain_passes(enum reason check, const struct plain_subject *subject,
                  const struct plain_request *request) {
    const struct ip_address *address = &request->address;
    switch (check) {
    case REASON_UNKNOWN: return subject->kind != TOKEN_KIND_NONE;
    case REASON_COMPANY_SUSPENDED: return !subject->is_company_suspended;
    case REASON_MEMBER_REMOVED: return !subject->is_member_removed;
    case REASON_DEACTIVATED: return !subject->is_deactivated;
    case REASON_SUSPENDED: return !(subject->is_suspended && PLAIN_NOW_MS < subject->suspended_until_ms);
    case REASON_NOT_YET_VALID: return !(PLAIN_NOW_MS < subject->not_before_ms);
    case REASON_EXPIRED: return PLAIN_NOW_MS < subject->expires_at_ms;
    case REASON_CHANNEL_NOT_ALLOWED: return is_right_channel(subject, request->channel);
    case REASON_COMPANY_IP_NOT_LISTED: return !binds_whitelist(subject) || lists(&subject->company, address);
    case REASON_MEMBER_IP_NOT_LISTED: return !subject->member.is_set || lists(&subject->member, address);
    case REASON_TOKEN_IP_NOT_LISTED: return !subject->token.is_set || lists(&subject->token, address);
    case REASON_DOMAIN_NOT_LISTED:
        return request->channel != CHANNEL_UI || !subject->domains.is_set ||
               allows_domain(&subject->domains, request->host);
    case REASON_PERMISSION_MISSING: return may_all_and_any(subject, request);
    default: return false;
    }
}

enum reason plain_decide(const struct plain_subject *subject, const struct plain_request *request) {
    static const enum reason order[] = {
        REASON_UNKNOWN,
        REASON_COMPANY_SUSPENDED,
        REASON_MEMBER_REMOVED,
        REASON_DEACTIVATED,
        REASON_SUSPENDED,
        REASON_NOT_YET_VALID,
        REASON_EXPIRED,
        REASON_CHANNEL_NOT_ALLOWED,
        REASON_COMPANY_IP_NOT_LISTED,
        REASON_MEMBER_IP_NOT_LISTED,
        REASON_TOKEN_IP_NOT_LISTED,
        REASON_DOMAIN_NOT_LISTED,
        REASON_PERMISSION_MISSING,
    };
    for (size_t i = 0; i < ARRAY_LENGTH(order); i++)
        if (!plain_passes(order[i], subject, request))
            return order[i];
    return REASON_OK;
}

// ---- drawing ----

static bool one_in(struct seed *seed, unsigned count) {
    return seed_next_below(seed, count) == 0;
}

// Mostly far in the direction that lets the token pass, else at the edge.
static int64_t draw_time(struct seed *seed, int64_t usual_ms) {
    static const int64_t edges[] = {PLAIN_NOW_MS - 1, PLAIN_NOW_MS,   PLAIN_NOW_MS + 1, 0,
                                    CLOCK_NEVER_MS,   CLOCK_ALWAYS_MS};
    return one_in(seed, 6) ? edges[seed_next_below(seed, ARRAY_LENGTH(edges))] : usual_ms;
}

// Addresses crowd, so that prefixes nest.
static struct ip_address draw_address(struct seed *seed) {
    struct ip_address address = {.family = one_in(seed, 3) ? IP_FAMILY_V6 : IP_FAMILY_V4};
    unsigned len = address.family == IP_FAMILY_V4 ? 4 : 16;
    for (unsigned i = 0; i < len; i++)
        address.bytes[i] = one_in(seed, 2) ? 10 : (uint8_t)(8 + seed_next_below(seed, 4));
    return address;
}

static void draw_list(struct seed *seed, unsigned unset_odds, struct plain_list *ret) {
    ret->is_set = seed_next_below(seed, unset_odds) == 0;
    ret->count = ret->is_set ? seed_next_below(seed, PLAIN_LIST_MAX + 1) : 0;
    for (size_t i = 0; i < ret->count; i++) {
        struct ip_address address = draw_address(seed);
        unsigned bits = (unsigned)seed_next_below(seed, ip_address_get_width_bits(&address) + 1);
        if (one_in(seed, 3))
            bits = (unsigned)seed_next_below(seed, 12);
        struct ip_prefix prefix = ip_prefix_of(&address, bits);
        ret->entries[i] = (struct plain_entry){prefix.address, bits, draw_time(seed, CLOCK_NEVER_MS)};
    }
}

void plain_draw_subject(struct seed *seed, struct plain_subject *ret) {
    static const enum token_kind kinds[] = {TOKEN_KIND_ACCESS, TOKEN_KIND_ACCESS, TOKEN_KIND_LOGIN};
    *ret = (struct plain_subject){
        .kind = one_in(seed, 20) ? TOKEN_KIND_NONE : kinds[seed_next_below(seed, ARRAY_LENGTH(kinds))],
        .is_company_suspended = one_in(seed, 20),
        .is_member_removed = one_in(seed, 20),
        .is_deactivated = one_in(seed, 20),
        .is_suspended = one_in(seed, 5),
        .is_whitelist_enabled = one_in(seed, 2),
        .is_for_api = !one_in(seed, 4),
        .is_for_ui = !one_in(seed, 4),
        .whitelist_scope = (unsigned)seed_next_below(seed, 4),
        .not_before_ms = draw_time(seed, CLOCK_ALWAYS_MS),
        .expires_at_ms = draw_time(seed, CLOCK_NEVER_MS),
        .suspended_until_ms = draw_time(seed, PLAIN_NOW_MS - 1000),
    };
    draw_list(seed, 1, &ret->company);
    draw_list(seed, 3, &ret->member);
    draw_list(seed, 3, &ret->token);
    ret->domains.is_set = one_in(seed, 2);
    ret->domains.count = ret->domains.is_set ? seed_next_below(seed, PLAIN_LIST_MAX) : 0;
    for (size_t i = 0; i < ret->domains.count; i++)
        ret->domains.patterns[i] = patterns[seed_next_below(seed, ARRAY_LENGTH(patterns))];
    ret->is_company_owned = ret->kind == TOKEN_KIND_ACCESS && one_in(seed, 3);
    for (size_t i = 0; i < HOLDABLE; i++) {
        ret->is_granted[i] = !one_in(seed, 4);
        ret->is_owners[i] = !ret->is_company_owned && !one_in(seed, 4);
    }
    if (ret->is_company_owned)
        ret->member = (struct plain_list){0};
}

static struct ip_address draw_near(struct seed *seed, const struct plain_list *list) {
    const struct plain_entry *entry = &list->entries[seed_next_below(seed, list->count)];
    struct ip_address address = entry->address;
    unsigned width = ip_address_get_width_bits(&address);
    for (unsigned bit = entry->bits; bit < width; bit++)
        if (one_in(seed, 2))
            address.bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
    if (one_in(seed, 4)) {
        unsigned bit = (unsigned)seed_next_below(seed, width);
        address.bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
    }
    return address;
}

static size_t draw_asked(struct seed *seed, size_t *ret_asked) {
    size_t count = seed_next_below(seed, PLAIN_ASKED_MAX + 1);
    for (size_t i = 0; i < count; i++)
        ret_asked[i] =
            one_in(seed, 10) ? seed_next_below(seed, PLAIN_PERMISSIONS) : seed_next_below(seed, HOLDABLE);
    return count;
}

void plain_draw_request(struct seed *seed, const struct plain_subject *subject, struct plain_request *ret) {
    const struct plain_list *lists_of[] = {&subject->company, &subject->member, &subject->token};
    const struct plain_list *list = lists_of[seed_next_below(seed, ARRAY_LENGTH(lists_of))];
    size_t origin = seed_next_below(seed, ARRAY_LENGTH(origins));
    *ret = (struct plain_request){
        .channel =
            one_in(seed, 20) ? (unsigned)seed_next_below(seed, 5) : 1 + (unsigned)seed_next_below(seed, 2),
        .address = list->count > 0 && one_in(seed, 2) ? draw_near(seed, list) : draw_address(seed),
        .domain = origins[origin].presented,
        .host = origins[origin].host,
    };
    if (one_in(seed, 20))
        ret->address = (struct ip_address){0};
    ret->asked_count = draw_asked(seed, ret->asked);
    ret->any_count = draw_asked(seed, ret->any);
}

// ---- for the product ----

static const struct ip_set *make_ips(const struct plain_list *list, struct arena *arena) {
    struct ip_set_entry entries[PLAIN_LIST_MAX];
    if (!list->is_set)
        return NULL;
    for (size_t i = 0; i < list->count; i++)
        entries[i] = (struct ip_set_entry){ip_prefix_of(&list->entries[i].address, list->entries[i].bits),
                                           list->entries[i].ends_at_ms};
    const struct ip_set *set = ip_set_new_in_arena(arena, entries, list->count);
    assert_non_null(set);
    return set;
}

static const struct domain_set *make_domains(const struct plain_domains *domains, struct arena *arena) {
    struct bytes texts[PLAIN_LIST_MAX];
    if (!domains->is_set)
        return NULL;
    for (size_t i = 0; i < domains->count; i++)
        texts[i] = bytes_of_text(domains->patterns[i]);
    const struct domain_set *set = domain_set_new_in_arena(arena, texts, domains->count);
    assert_non_null(set);
    return set;
}

static const struct permission_set *make_permissions(const bool *is_held, struct arena *arena) {
    struct permission_set *set = permission_set_new_in_arena(arena, LIMIT);
    assert_non_null(set);
    for (size_t i = 0; i < HOLDABLE; i++)
        if (is_held[i])
            permission_set_add(set, ids[i]);
    return set;
}

struct access_subject plain_make_subject(const struct plain_subject *plain, struct arena *arena) {
    unsigned channels =
        (plain->is_for_api ? CHANNEL_BIT(CHANNEL_API) : 0) | (plain->is_for_ui ? CHANNEL_BIT(CHANNEL_UI) : 0);
    return (struct access_subject){
        .not_before_ms = plain->not_before_ms,
        .expires_at_ms = plain->expires_at_ms,
        .suspended_until_ms = plain->suspended_until_ms,
        .kind = (uint8_t)plain->kind,
        .channels = (uint8_t)channels,
        .whitelist_scope = (uint8_t)plain->whitelist_scope,
        .is_company_suspended = plain->is_company_suspended,
        .is_member_removed = plain->is_member_removed,
        .is_deactivated = plain->is_deactivated,
        .is_suspended = plain->is_suspended,
        .is_whitelist_enabled = plain->is_whitelist_enabled,
        .is_company_owned = plain->is_company_owned,
        .company_ips = make_ips(&plain->company, arena),
        .member_ips = make_ips(&plain->member, arena),
        .token_ips = make_ips(&plain->token, arena),
        .domains = make_domains(&plain->domains, arena),
        .granted = plain->kind == TOKEN_KIND_LOGIN ? NULL : make_permissions(plain->is_granted, arena),
        .owner = plain->is_company_owned ? NULL : make_permissions(plain->is_owners, arena),
    };
}

static const uint32_t *make_ids(const size_t *asked, size_t count, struct arena *arena) {
    uint32_t *made = ARENA_NEW_ARRAY(arena, uint32_t, count);
    assert_non_null(made);
    for (size_t i = 0; i < count; i++)
        made[i] = ids[asked[i]];
    return made;
}

struct access_request plain_make_request(const struct plain_request *plain, struct arena *arena) {
    return (struct access_request){
        .now_ms = PLAIN_NOW_MS,
        .address = plain->address,
        .channel = (uint8_t)plain->channel,
        .domain = plain->domain,
        .permissions = make_ids(plain->asked, plain->asked_count, arena),
        .permission_count = plain->asked_count,
        .any_permissions = make_ids(plain->any, plain->any_count, arena),
        .any_permission_count = plain->any_count,
    };
}
