#include "tests/unit/plain_image.h"

#include <string.h>

#include "common/access/decision.h"
#include "common/access/domain.h"
#include "common/base/clock.h"
#include "common/base/typeid.h"
#include "services/validator/image/image_internal.h"
#include "tests/unit/unit.h"

#define NOW_MS INT64_C(1767268800000)
#define LONG_TEXT "an-external-id-of-some-length"

static const char *const names[PLAIN_NAMES] = {
    "charges.create",   "charges.read",  "charges.refunds.create", "customers.read",
    "latchkey.operate", "latchkey.read", "latchkey.tokens.create", "latchkey.validate.any"};
static const char *const grants[] = {"charges.create", "charges.*",         "latchkey.*", "latchkey.operate",
                                     "customers.read", "charges.refunds.*", "zebras.read"};
static const char *const prefixes[] = {"10.0.0.0/8",    "10.1.0.0/16", "192.0.2.7/32",
                                       "2001:db8::/32", "0.0.0.0/0",   "10.1.2.0/24"};
static const char *const probes[] = {"10.9.9.9",  "10.1.9.9",    "10.1.2.9",   "192.0.2.7",
                                     "192.0.2.8", "2001:db8::1", "2001:db9::1"};
static const char *const patterns[] = {"app.example.com", "*.example.com", "other.net"};
static const char *const hosts[] = {"app.example.com", "x.example.com", "example.com", "other.net"};

// ---- ids ----

static struct uuid make_id(uint8_t kind, size_t number) {
    return (struct uuid){
        .bytes = {1, 0x92, kind, 4, 5, 6, 0x70, 8, 0x80, (uint8_t)(number * 37), [15] = (uint8_t)number}};
}

static struct uuid get_company_id(size_t number) {
    return make_id('c', number % PLAIN_COMPANIES);
}

struct digest plain_get_digest(size_t token, size_t secret) {
    struct digest digest;
    size_t numbers[] = {token, secret};
    digest_sha256(bytes_of(numbers, sizeof(numbers)), &digest);
    return digest;
}

static struct bytes get_external_id(size_t len) {
    return bytes_of(LONG_TEXT, len);
}

// The member who owns a token is of the same company.
static size_t get_owner(size_t token) {
    size_t owner = token;
    while (owner >= PLAIN_MEMBERS)
        owner -= PLAIN_COMPANIES;
    return owner;
}

// ---- drawing ----

static bool one_in(struct seed *seed, unsigned count) {
    return seed_next_below(seed, count) == 0;
}

static size_t draw_items(struct seed *seed, size_t bound, size_t *ret_items) {
    size_t count = seed_next_below(seed, PLAIN_ITEMS + 1);
    for (size_t i = 0; i < count; i++)
        ret_items[i] = seed_next_below(seed, bound);
    return count;
}

static void draw_catalogue(struct seed *seed, struct plain_rows *rows) {
    for (size_t i = 0; i < PLAIN_NAMES; i++) {
        rows->is_known[i] = !one_in(seed, 5);
        rows->is_operator_only[i] = one_in(seed, 3);
    }
}

static void draw_company(struct seed *seed, struct plain_rows *rows, size_t i) {
    rows->companies[i].exists = !one_in(seed, 5);
    rows->companies[i].is_suspended = one_in(seed, 4);
    rows->companies[i].external_id = seed_next_below(seed, sizeof(LONG_TEXT));
    rows->companies[i].has_whitelist = !one_in(seed, 4);
    rows->companies[i].is_enabled = one_in(seed, 2);
    rows->companies[i].scope = 1 + (unsigned)seed_next_below(seed, 2);
    rows->companies[i].entry_count = draw_items(seed, ARRAY_LENGTH(prefixes), rows->companies[i].entries);
}

static void draw_role(struct seed *seed, struct plain_rows *rows, size_t i) {
    rows->roles[i].exists = !one_in(seed, 3);
    rows->roles[i].is_administrator = one_in(seed, 4);
    rows->roles[i].grant_count = draw_items(seed, ARRAY_LENGTH(grants), rows->roles[i].grants);
}

static void draw_member(struct seed *seed, struct plain_rows *rows, size_t i) {
    rows->members[i].exists = !one_in(seed, 5);
    rows->members[i].is_removed = one_in(seed, 4);
    rows->members[i].ip_count = draw_items(seed, ARRAY_LENGTH(prefixes), rows->members[i].ips);
    // Some of another company, which then count for nothing.
    rows->members[i].role_count = draw_items(seed, PLAIN_ROLES, rows->members[i].roles);
}

static void draw_token(struct seed *seed, struct plain_rows *rows, size_t i) {
    static const int64_t untils[] = {CLOCK_NEVER_MS, NOW_MS + 5}, befores[] = {CLOCK_ALWAYS_MS, NOW_MS - 5};
    rows->tokens[i].exists = !one_in(seed, 4);
    rows->tokens[i].is_deactivated = one_in(seed, 4);
    rows->tokens[i].is_suspended = one_in(seed, 3);
    rows->tokens[i].is_owned_by_company = one_in(seed, 3);
    rows->tokens[i].kind = 1 + (unsigned)seed_next_below(seed, 2);
    rows->tokens[i].channels = 1 + (unsigned)seed_next_below(seed, 3);
    rows->tokens[i].suspended_until_ms =
        rows->tokens[i].is_suspended ? untils[seed_next_below(seed, 2)] : CLOCK_NEVER_MS;
    rows->tokens[i].not_before_ms = befores[seed_next_below(seed, 2)];
    rows->tokens[i].expires_at_ms = NOW_MS + (int64_t)seed_next_below(seed, 1000);
    rows->tokens[i].external_id = one_in(seed, 2) ? seed_next_below(seed, sizeof(LONG_TEXT)) : 0;
    for (size_t k = 0; k < PLAIN_SECRETS; k++)
        rows->tokens[i].has_secret[k] = !one_in(seed, 3);
    rows->tokens[i].grant_count = draw_items(seed, ARRAY_LENGTH(grants), rows->tokens[i].grants);
    rows->tokens[i].ip_count = draw_items(seed, ARRAY_LENGTH(prefixes), rows->tokens[i].ips);
    rows->tokens[i].domain_count = draw_items(seed, ARRAY_LENGTH(patterns), rows->tokens[i].domains);
}

void plain_draw_rows(struct seed *seed, struct plain_rows *ret) {
    *ret = (struct plain_rows){0};
    draw_catalogue(seed, ret);
    for (size_t i = 0; i < PLAIN_COMPANIES; i++)
        draw_company(seed, ret, i);
    for (size_t i = 0; i < PLAIN_ROLES; i++)
        draw_role(seed, ret, i);
    for (size_t i = 0; i < PLAIN_MEMBERS; i++)
        draw_member(seed, ret, i);
    for (size_t i = 0; i < PLAIN_TOKENS; i++)
        draw_token(seed, ret, i);
}

void plain_change_rows(struct seed *seed, struct plain_rows *rows, struct plain_change *ret) {
    *ret = (struct plain_change){.catalogue = one_in(seed, 6)};
    if (ret->catalogue)
        draw_catalogue(seed, rows);
    for (size_t i = 0; i < PLAIN_COMPANIES; i++) {
        ret->whole[i] = one_in(seed, 8);
        if ((ret->companies[i] = one_in(seed, 4)))
            draw_company(seed, rows, i);
    }
    for (size_t i = 0; i < PLAIN_ROLES; i++)
        if ((ret->roles[i] = one_in(seed, 5)))
            draw_role(seed, rows, i);
    for (size_t i = 0; i < PLAIN_MEMBERS; i++)
        if ((ret->members[i] = one_in(seed, 5)))
            draw_member(seed, rows, i);
    for (size_t i = 0; i < PLAIN_TOKENS; i++)
        if ((ret->tokens[i] = one_in(seed, 5)))
            draw_token(seed, rows, i);
}

// ---- rows ----

static struct ip_prefix parse_prefix(size_t item) {
    struct ip_prefix prefix;
    assert_int_equal(ip_prefix_parse(bytes_of_text(prefixes[item]), &prefix), IP_PARSE_OK);
    return prefix;
}

static void fill_texts(const char *const *from, const size_t *items, size_t count, struct bytes *ret_texts) {
    for (size_t i = 0; i < count; i++)
        ret_texts[i] = bytes_of_text(from[items[i]]);
}

static void fill_prefixes(const size_t *items, size_t count, struct ip_prefix *ret_prefixes) {
    for (size_t i = 0; i < count; i++)
        ret_prefixes[i] = parse_prefix(items[i]);
}

static enum status put_catalogue(const struct plain_rows *rows, struct image *image) {
    struct permission_definition definitions[PLAIN_NAMES];
    size_t count = 0;
    for (size_t i = 0; i < PLAIN_NAMES; i++)
        if (rows->is_known[i])
            definitions[count++] =
                (struct permission_definition){bytes_of_text(names[i]), rows->is_operator_only[i]};
    return image_set_catalogue(image, definitions, count);
}

static enum status put_whitelist(const struct plain_rows *rows, size_t i, struct image *image) {
    struct uuid company_id = get_company_id(i);
    struct ip_set_entry entries[PLAIN_ITEMS];
    if (!rows->companies[i].has_whitelist)
        return image_sweep(image, IMAGE_WHITELIST, &company_id);
    struct whitelist_row row = {.company_id = company_id,
                                .is_enabled = rows->companies[i].is_enabled,
                                .scope = (uint8_t)rows->companies[i].scope,
                                .live_list_id = make_id('l', i)};
    enum status status = image_put_whitelist(image, &row);
    for (size_t k = 0; k < rows->companies[i].entry_count; k++)
        entries[k] = (struct ip_set_entry){parse_prefix(rows->companies[i].entries[k]), CLOCK_NEVER_MS};
    return status == STATUS_OK
               ? image_set_entries(image, &company_id, entries, rows->companies[i].entry_count)
               : status;
}

static enum status put_company(const struct plain_rows *rows, size_t i, struct image *image) {
    struct company_row row = {.company_id = get_company_id(i),
                              .is_suspended = rows->companies[i].is_suspended,
                              .external_id = get_external_id(rows->companies[i].external_id)};
    enum status status = rows->companies[i].exists ? image_put_company(image, &row)
                                                   : image_sweep(image, IMAGE_COMPANY, &row.company_id);
    return status == STATUS_OK ? put_whitelist(rows, i, image) : status;
}

static enum status put_role(const struct plain_rows *rows, size_t i, struct image *image) {
    struct bytes texts[PLAIN_ITEMS];
    fill_texts(grants, rows->roles[i].grants, rows->roles[i].grant_count, texts);
    struct role_row row = {.role_id = make_id('r', i),
                           .company_id = get_company_id(i),
                           .is_administrator = rows->roles[i].is_administrator,
                           .grants = texts,
                           .grant_count = rows->roles[i].grant_count};
    return image_put_role(image, &row);
}

static enum status put_member(const struct plain_rows *rows, size_t i, struct image *image) {
    struct ip_prefix ips[PLAIN_ITEMS];
    struct uuid roles[PLAIN_ITEMS];
    fill_prefixes(rows->members[i].ips, rows->members[i].ip_count, ips);
    for (size_t k = 0; k < rows->members[i].role_count; k++)
        roles[k] = make_id('r', rows->members[i].roles[k]);
    struct member_row row = {.member_id = make_id('m', i),
                             .company_id = get_company_id(i),
                             .is_removed = rows->members[i].is_removed,
                             .ips = ips,
                             .ip_count = rows->members[i].ip_count,
                             .role_ids = roles,
                             .role_count = rows->members[i].role_count};
    return image_put_member(image, &row);
}

static enum status put_token(const struct plain_rows *rows, size_t i, struct image *image) {
    struct bytes granted[PLAIN_ITEMS], domains[PLAIN_ITEMS];
    struct ip_prefix ips[PLAIN_ITEMS];
    fill_texts(grants, rows->tokens[i].grants, rows->tokens[i].grant_count, granted);
    fill_texts(patterns, rows->tokens[i].domains, rows->tokens[i].domain_count, domains);
    fill_prefixes(rows->tokens[i].ips, rows->tokens[i].ip_count, ips);
    struct token_row row = {.token_id = make_id('t', i),
                            .company_id = get_company_id(i),
                            .kind = (uint8_t)rows->tokens[i].kind,
                            .channels = (uint8_t)rows->tokens[i].channels,
                            .is_deactivated = rows->tokens[i].is_deactivated,
                            .is_suspended = rows->tokens[i].is_suspended,
                            .suspended_until_ms = rows->tokens[i].suspended_until_ms,
                            .not_before_ms = rows->tokens[i].not_before_ms,
                            .external_id = get_external_id(rows->tokens[i].external_id),
                            .rule = {granted, rows->tokens[i].grant_count, domains,
                                     rows->tokens[i].domain_count, ips, rows->tokens[i].ip_count}};
    if (!rows->tokens[i].is_owned_by_company)
        row.member_id = make_id('m', get_owner(i));
    enum status status = STATUS_OK;
    for (size_t secret = 0; secret < PLAIN_SECRETS && status == STATUS_OK; secret++) {
        struct digest digest = plain_get_digest(i, secret);
        row.fingerprint = fingerprint_of(image_get_fingerprint_key(image), &digest);
        row.expires_at_ms = rows->tokens[i].expires_at_ms + (int64_t)secret;
        if (rows->tokens[i].has_secret[secret])
            status = image_put_token(image, &row);
    }
    return status;
}

// ---- a pass ----

static bool is_whole(const struct plain_change *change, size_t i) {
    return !change || change->whole[i % PLAIN_COMPANIES];
}

static enum status apply_roles(const struct plain_rows *rows, const struct plain_change *change,
                               struct image *image) {
    enum status status = STATUS_OK;
    for (size_t i = 0; i < PLAIN_ROLES && status == STATUS_OK; i++) {
        struct uuid id = make_id('r', i);
        if (!is_whole(change, i) && !change->roles[i])
            continue;
        if (rows->roles[i].exists)
            status = put_role(rows, i, image);
        if (status == STATUS_OK && !is_whole(change, i))
            status = image_sweep(image, IMAGE_ROLE, &id);
    }
    for (size_t i = 0; i < PLAIN_COMPANIES && status == STATUS_OK; i++) {
        struct uuid id = get_company_id(i);
        if (is_whole(change, i))
            status = image_sweep(image, IMAGE_ROLES_OF, &id);
    }
    return status == STATUS_OK ? image_apply_roles(image) : status;
}

static enum status apply_members(const struct plain_rows *rows, const struct plain_change *change,
                                 struct image *image) {
    enum status status = STATUS_OK;
    for (size_t i = 0; i < PLAIN_MEMBERS && status == STATUS_OK; i++) {
        struct uuid id = make_id('m', i);
        if (!is_whole(change, i) && !change->members[i])
            continue;
        if (rows->members[i].exists)
            status = put_member(rows, i, image);
        if (status == STATUS_OK && !is_whole(change, i))
            status = image_sweep(image, IMAGE_MEMBER, &id);
    }
    for (size_t i = 0; i < PLAIN_COMPANIES && status == STATUS_OK; i++) {
        struct uuid id = get_company_id(i);
        if (is_whole(change, i))
            status = image_sweep(image, IMAGE_MEMBERS_OF, &id);
    }
    return status;
}

static enum status apply_tokens(const struct plain_rows *rows, const struct plain_change *change,
                                struct image *image) {
    enum status status = STATUS_OK;
    for (size_t i = 0; i < PLAIN_TOKENS && status == STATUS_OK; i++) {
        struct uuid id = make_id('t', i);
        if (!is_whole(change, i) && !change->tokens[i])
            continue;
        if (rows->tokens[i].exists)
            status = put_token(rows, i, image);
        if (status == STATUS_OK && !is_whole(change, i))
            status = image_sweep(image, IMAGE_TOKEN, &id);
    }
    for (size_t i = 0; i < PLAIN_COMPANIES && status == STATUS_OK; i++) {
        struct uuid id = get_company_id(i);
        if (is_whole(change, i))
            status = image_sweep(image, IMAGE_TOKENS_OF, &id);
    }
    return status;
}

enum status plain_apply(const struct plain_rows *rows, const struct plain_change *change,
                        struct image *image) {
    enum status status = STATUS_OK;
    if (!change || change->catalogue)
        status = put_catalogue(rows, image);
    image_begin_pass(image);
    for (size_t i = 0; i < PLAIN_COMPANIES && status == STATUS_OK; i++)
        if (is_whole(change, i) || change->companies[i])
            status = put_company(rows, i, image);
    if (status == STATUS_OK)
        status = apply_roles(rows, change, image);
    if (status == STATUS_OK)
        status = apply_members(rows, change, image);
    return status == STATUS_OK ? apply_tokens(rows, change, image) : status;
}

// ---- in words, from the rows ----

static const char *describe_items(const size_t *items, size_t count, struct arena *arena) {
    const char *text = "";
    for (size_t i = 0; i < ARRAY_LENGTH(probes); i++) {
        struct ip_address address;
        bool is_listed = false;
        assert_int_equal(ip_address_parse(bytes_of_text(probes[i]), &address), IP_PARSE_OK);
        for (size_t k = 0; k < count; k++) {
            struct ip_prefix prefix = parse_prefix(items[k]);
            is_listed = is_listed || ip_prefix_contains_address(&prefix, &address);
        }
        text = arena_format(arena, "%s%d", text, is_listed);
    }
    return text;
}

static bool covers(const char *grant, const struct plain_rows *rows, size_t name) {
    size_t len = strlen(grant);
    if (grant[len - 1] != '*')
        return strcmp(grant, names[name]) == 0;
    return !rows->is_operator_only[name] && strncmp(grant, names[name], len - 1) == 0;
}

static bool is_granted(const struct plain_rows *rows, const size_t *items, size_t count, size_t name) {
    bool is_covered = false;
    for (size_t i = 0; i < count; i++)
        is_covered = is_covered || covers(grants[items[i]], rows, name);
    return rows->is_known[name] && is_covered;
}

static bool may_by_roles(const struct plain_rows *rows, size_t member, size_t name) {
    for (size_t i = 0; i < rows->members[member].role_count; i++) {
        size_t role = rows->members[member].roles[i];
        if (!rows->roles[role].exists || role % PLAIN_COMPANIES != member % PLAIN_COMPANIES)
            continue;
        if (is_granted(rows, rows->roles[role].grants, rows->roles[role].grant_count, name))
            return true;
        if (rows->roles[role].is_administrator && rows->is_known[name] && !rows->is_operator_only[name])
            return true;
    }
    return false;
}

static const char *describe_company(const struct plain_rows *rows, size_t i, struct arena *arena) {
    if (!rows->companies[i].exists)
        return "no company";
    bool is_listed = rows->companies[i].has_whitelist;
    return arena_format(
        arena, "company %s suspended %d list %d scope %u %s external %zu",
        typeid_of(TYPEID_COMPANY, get_company_id(i)).text, rows->companies[i].is_suspended,
        !is_listed || rows->companies[i].is_enabled,
        is_listed ? rows->companies[i].scope : WHITELIST_SCOPE_ALL,
        describe_items(rows->companies[i].entries, is_listed ? rows->companies[i].entry_count : 0, arena),
        rows->companies[i].external_id);
}

static const char *describe_member(const struct plain_rows *rows, size_t i, struct arena *arena) {
    if (!rows->members[i].exists)
        return "no member";
    const char *text = arena_format(
        arena, "member %s removed %d %s may", typeid_of(TYPEID_MEMBER, make_id('m', i)).text,
        rows->members[i].is_removed,
        rows->members[i].ip_count ? describe_items(rows->members[i].ips, rows->members[i].ip_count, arena)
                                  : "anywhere");
    for (size_t name = 0; name < PLAIN_NAMES; name++)
        if (may_by_roles(rows, i, name))
            text = arena_format(arena, "%s %s", text, names[name]);
    return text;
}

static bool is_domain_listed(const struct plain_rows *rows, size_t token, const char *host) {
    for (size_t i = 0; i < rows->tokens[token].domain_count; i++) {
        struct domain_pattern pattern;
        assert_int_equal(
            domain_pattern_parse(bytes_of_text(patterns[rows->tokens[token].domains[i]]), &pattern),
            DOMAIN_PARSE_OK);
        if (domain_pattern_matches(&pattern, bytes_of_text(host)))
            return true;
    }
    return false;
}

static const char *describe_policy(const struct plain_rows *rows, size_t i, struct arena *arena) {
    const char *text = "granted";
    for (size_t name = 0; name < PLAIN_NAMES; name++)
        if (is_granted(rows, rows->tokens[i].grants, rows->tokens[i].grant_count, name))
            text = arena_format(arena, "%s %s", text, names[name]);
    text = arena_format(arena, "%s at %s on", text,
                        rows->tokens[i].ip_count
                            ? describe_items(rows->tokens[i].ips, rows->tokens[i].ip_count, arena)
                            : "anywhere");
    for (size_t k = 0; k < ARRAY_LENGTH(hosts); k++)
        text = arena_format(arena, "%s %d", text,
                            rows->tokens[i].domain_count == 0 || is_domain_listed(rows, i, hosts[k]));
    return text;
}

const char *plain_describe(const struct plain_rows *rows, size_t token, size_t secret, struct arena *arena) {
    if (!rows->tokens[token].exists || !rows->tokens[token].has_secret[secret])
        return "no token";
    size_t owner = get_owner(token);
    return arena_format(
        arena,
        "token %s kind %u channels %u ended %d suspended %d %lld from %lld to %lld external %zu; %s; %s; %s",
        typeid_of(TYPEID_TOKEN, make_id('t', token)).text, rows->tokens[token].kind,
        rows->tokens[token].channels, rows->tokens[token].is_deactivated, rows->tokens[token].is_suspended,
        (long long)rows->tokens[token].suspended_until_ms, (long long)rows->tokens[token].not_before_ms,
        (long long)rows->tokens[token].expires_at_ms + (long long)secret, rows->tokens[token].external_id,
        describe_company(rows, token % PLAIN_COMPANIES, arena),
        rows->tokens[token].is_owned_by_company ? "the company's own" : describe_member(rows, owner, arena),
        describe_policy(rows, token, arena));
}

// ---- in words, from an image ----

static const char *ask_set(const struct ip_set *ips, struct arena *arena) {
    const char *text = "";
    for (size_t i = 0; i < ARRAY_LENGTH(probes); i++) {
        struct ip_address address;
        assert_int_equal(ip_address_parse(bytes_of_text(probes[i]), &address), IP_PARSE_OK);
        text = arena_format(arena, "%s%d", text, ip_set_contains(ips, &address, NOW_MS));
    }
    return text;
}

static const char *append_names(const char *text, const struct image *image, const struct permission_set *set,
                                struct arena *arena) {
    const struct bytes *held;
    size_t count;
    assert_true(permission_catalogue_list(image_get_catalogue(image), set, arena, &held, &count));
    for (size_t i = 0; i < count; i++)
        text = arena_format(arena, "%s %.*s", text, BYTES_FORMAT(held[i]));
    return text;
}

static const char *ask_company(const struct image *image, const struct token_record *record,
                               struct arena *arena) {
    const struct company_facts *facts = image_get_company(image, record);
    if (!facts)
        return "no company";
    assert_memory_equal(facts->external_id, LONG_TEXT, facts->external_id_len);
    assert_int_equal(facts->lane, facts->company_id.bytes[15] % 64);
    return arena_format(arena, "company %s suspended %d list %d scope %u %s external %zu", facts->id_text,
                        facts->is_suspended, facts->is_whitelist_enabled, facts->whitelist_scope,
                        ask_set(facts->ips, arena), facts->external_id_len);
}

static const char *ask_member(const struct image *image, const struct token_record *record,
                              struct arena *arena) {
    if (!record->has_member)
        return "the company's own";
    const struct member_facts *facts = image_get_member(image, record);
    if (!facts)
        return "no member";
    const char *text = arena_format(arena, "member %s removed %d %s may", facts->id_text, facts->is_removed,
                                    facts->ips ? ask_set(facts->ips, arena) : "anywhere");
    return append_names(text, image, facts->permissions, arena);
}

static const char *ask_policy(const struct image *image, const struct policy *policy, struct arena *arena) {
    const char *text = append_names("granted", image, policy_get_granted(policy), arena);
    text = arena_format(arena, "%s at %s on", text, policy->ips ? ask_set(policy->ips, arena) : "anywhere");
    for (size_t k = 0; k < ARRAY_LENGTH(hosts); k++)
        text = arena_format(arena, "%s %d", text,
                            !policy->domains ||
                                domain_set_find(policy->domains, bytes_of_text(hosts[k])).len > 0);
    return text;
}

const char *plain_describe_image(const struct image *image, const struct digest *digest,
                                 struct arena *arena) {
    bool is_found;
    const struct token_record *record = image_find_token_or_decoy(image, digest, &is_found);
    if (!is_found)
        return "no token";
    static const struct token_extra none = {.not_before_ms = CLOCK_ALWAYS_MS,
                                            .suspended_until_ms = CLOCK_NEVER_MS};
    const struct token_extra *extra = image_get_extra(image, record);
    extra = extra ? extra : &none;
    assert_memory_equal(extra->external_id, LONG_TEXT, extra->external_id_len);
    return arena_format(
        arena,
        "token %s kind %u channels %u ended %d suspended %d %lld from %lld to %lld external %zu; %s; %s; %s",
        typeid_of(TYPEID_TOKEN, record->token_id).text, record->kind, record->channels,
        record->is_deactivated, record->is_suspended, (long long)extra->suspended_until_ms,
        (long long)extra->not_before_ms, (long long)token_record_get_expires_at_ms(record),
        (size_t)extra->external_id_len, ask_company(image, record, arena), ask_member(image, record, arena),
        ask_policy(image, image_get_policy(image, record), arena));
}

void plain_check_image(const struct plain_rows *rows, const struct image *image) {
    struct arena arena;
    size_t secrets = 0;
    arena_init(&arena, 0);
    for (size_t token = 0; token < PLAIN_TOKENS; token++)
        for (size_t secret = 0; secret < PLAIN_SECRETS; secret++) {
            struct digest digest = plain_get_digest(token, secret);
            const char *expected = plain_describe(rows, token, secret, &arena);
            assert_string_equal(plain_describe_image(image, &digest, &arena), expected);
            secrets += strcmp(expected, "no token") != 0;
        }
    const char *broken = token_table_check(image->tokens);
    broken = broken ? broken : token_index_check(&image->tokens_by_id);
    if (broken)
        fail_msg("%s", broken);
    assert_int_equal(image_get_statistics(image).tokens, secrets);
    assert_int_equal(image->tokens_by_id.count, secrets);
    arena_fini(&arena);
}
