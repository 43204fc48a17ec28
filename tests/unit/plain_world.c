#include "tests/unit/plain_world.h"

#include <string.h>

#include "tests/unit/unit.h"

const char *const plain_world_names[PLAIN_WORLD_NAME_COUNT] = {
    "charges.create", "charges.read",         "customers.read",
    "invoices.read",  "latchkey.tokens.read", "latchkey.validate.any"};
enum { OPERATOR_ONLY = PLAIN_WORLD_NAME_COUNT - 1 };

static const char *const grants[] = {"charges.create",        "charges.*", "customers.read", "latchkey.*",
                                     "latchkey.validate.any", "gone.*"};
static const char *const asked[] = {"charges.create", "charges.read", "invoices.read",
                                    "latchkey.validate.any", "no.such"};

static const struct address_choice addresses[] = {
    {"10.1.2.3", {IP_FAMILY_V4, {10, 1, 2, 3}}},
    {"::ffff:10.1.2.3", {IP_FAMILY_V4, {10, 1, 2, 3}}},
    {"10.1.200.3", {IP_FAMILY_V4, {10, 1, 200, 3}}},
    {"203.0.113.9", {IP_FAMILY_V4, {203, 0, 113, 9}}},
    {"2001:db8::1", {IP_FAMILY_V6, {0x20, 0x01, 0x0d, 0xb8, [15] = 1}}},
    {"", {IP_FAMILY_NONE, {0}}},
    {"010.1.2.3", {IP_FAMILY_NONE, {0}}},
    {"10.1.2.3:80", {IP_FAMILY_NONE, {0}}},
};

static const struct prefix_choice prefixes[] = {
    {{IP_FAMILY_V4, {10, 1, 2, 0}}, 24},
    {{IP_FAMILY_V4, {10, 0, 0, 0}}, 8},
    {{IP_FAMILY_V4, {203, 0, 113, 9}}, 32},
    {{IP_FAMILY_V6, {0x20, 0x01, 0x0d, 0xb8}}, 32},
    {{IP_FAMILY_V4, {0}}, 0},
};

static const char *const patterns[] = {"app.example.com", "*.example.com", "*.example.org"};
static const struct domain_choice domains[] = {
    {"app.example.com", "app.example.com"},
    {"https://App.example.com", "app.example.com"},
    {"https://app.example.com:8443", NULL},
    {"a.b.example.org", "a.b.example.org"},
    {"example.com", "example.com"},
    {"evilexample.com", "evilexample.com"},
    {"", NULL},
};

// ---- rows ----

static int64_t choose_time(struct seed *seed, int64_t none) {
    const int64_t times[] = {
        PLAIN_WORLD_NOW_MS - 1, PLAIN_WORLD_NOW_MS, PLAIN_WORLD_NOW_MS + 1, none, none, none, none, none};
    return times[seed_next_below(seed, ARRAY_LENGTH(times))];
}

static size_t choose_prefixes(struct seed *seed, struct prefix_choice *ret) {
    size_t count = seed_is_one_in(seed, 2) ? 0 : 1 + seed_next_below(seed, PLAIN_WORLD_LIST_MAX);
    for (size_t i = 0; i < count; i++)
        ret[i] = prefixes[seed_next_below(seed, ARRAY_LENGTH(prefixes))];
    return count;
}

static size_t choose_texts(struct seed *seed, const char *const *from, size_t from_count, const char **ret) {
    size_t count = seed_next_below(seed, PLAIN_WORLD_LIST_MAX + 1);
    for (size_t i = 0; i < count; i++)
        ret[i] = from[seed_next_below(seed, from_count)];
    return count;
}

static void choose_company(struct seed *seed, struct plain_company *company, uint8_t number) {
    *company = (struct plain_company){.company_id = {{1, number, [15] = (uint8_t)(40 + number)}},
                                      .exists = !seed_is_one_in(seed, 8),
                                      .has_whitelist = !seed_is_one_in(seed, 8),
                                      .is_suspended = seed_is_one_in(seed, 8),
                                      .is_enabled = seed_is_one_in(seed, 2),
                                      .scope = (uint8_t)(1 + seed_next_below(seed, 2)),
                                      .entry_count = seed_next_below(seed, PLAIN_WORLD_LIST_MAX + 1)};
    for (size_t i = 0; i < company->entry_count; i++)
        company->entries[i] = (struct plain_entry){prefixes[seed_next_below(seed, ARRAY_LENGTH(prefixes))],
                                                   choose_time(seed, CLOCK_NEVER_MS)};
}

static void choose_member(struct seed *seed, struct plain_member *member, uint8_t number) {
    *member = (struct plain_member){.member_id = {{2, number}},
                                    .company = seed_next_below(seed, PLAIN_WORLD_COMPANIES),
                                    .exists = !seed_is_one_in(seed, 8),
                                    .is_removed = seed_is_one_in(seed, 8),
                                    .is_administrator = seed_is_one_in(seed, 2)};
    member->ip_count = choose_prefixes(seed, member->ips);
    member->grant_count = choose_texts(seed, grants, ARRAY_LENGTH(grants), member->grants);
}

static void choose_token(struct seed *seed, struct plain_token *token, const struct plain_world *world,
                         uint8_t number) {
    *token = (struct plain_token){.member = (int)seed_next_below(seed, PLAIN_WORLD_MEMBERS + 2) - 2};
    if (token->member < 0)
        token->member = -1;
    token->company = token->member < 0 ? seed_next_below(seed, PLAIN_WORLD_COMPANIES)
                                       : world->members[token->member].company;
    token->row = (struct token_row){
        .token_id = {{3, number}},
        .company_id = world->companies[token->company].company_id,
        .kind = seed_is_one_in(seed, 3) && token->member >= 0 ? TOKEN_KIND_LOGIN : TOKEN_KIND_ACCESS,
        .channels = (uint8_t)seed_next_below(seed, 4),
        .is_deactivated = seed_is_one_in(seed, 10),
        .is_suspended = seed_is_one_in(seed, 4),
        .suspended_until_ms = choose_time(seed, CLOCK_NEVER_MS),
        .not_before_ms = choose_time(seed, CLOCK_ALWAYS_MS),
        .expires_at_ms = choose_time(seed, CLOCK_NEVER_MS),
        .external_id = seed_is_one_in(seed, 2) ? BYTES_LITERAL("ext-7") : BYTES_EMPTY};
    if (token->member >= 0)
        token->row.member_id = world->members[token->member].member_id;
    token->ip_count = choose_prefixes(seed, token->ips);
    token->domain_count = choose_texts(seed, patterns, ARRAY_LENGTH(patterns), token->domains);
    token->grant_count = choose_texts(seed, grants, ARRAY_LENGTH(grants), token->grants);
}

static size_t to_prefixes(const struct prefix_choice *from, size_t count, struct ip_prefix *ret) {
    for (size_t i = 0; i < count; i++)
        ret[i] = ip_prefix_of(&from[i].address, from[i].bits);
    return count;
}

size_t plain_world_borrow(const char *const *from, size_t count, struct bytes *ret) {
    for (size_t i = 0; i < count; i++)
        ret[i] = bytes_of_text(from[i]);
    return count;
}

static void put_company(struct image *image, const struct plain_company *company) {
    struct ip_set_entry entries[PLAIN_WORLD_LIST_MAX];
    struct company_row row = {company->company_id, company->is_suspended, BYTES_LITERAL("acme")};
    struct whitelist_row whitelist = {company->company_id, company->is_enabled, company->scope, {{9}}};
    for (size_t i = 0; i < company->entry_count; i++)
        entries[i] = (struct ip_set_entry){
            ip_prefix_of(&company->entries[i].prefix.address, company->entries[i].prefix.bits),
            company->entries[i].ends_at_ms};
    if (company->exists)
        assert_int_equal(image_put_company(image, &row), STATUS_OK);
    if (company->has_whitelist)
        assert_int_equal(image_put_whitelist(image, &whitelist), STATUS_OK);
    assert_int_equal(image_set_entries(image, &company->company_id, entries, company->entry_count),
                     STATUS_OK);
}

static void put_member(struct image *image, const struct plain_member *member,
                       const struct plain_company *companies) {
    struct ip_prefix ips[PLAIN_WORLD_LIST_MAX];
    struct bytes role_grants[PLAIN_WORLD_LIST_MAX];
    struct role_row role = {.role_id = {{4, member->member_id.bytes[1]}},
                            .company_id = companies[member->company].company_id,
                            .is_administrator = member->is_administrator,
                            .grants = role_grants,
                            .grant_count =
                                plain_world_borrow(member->grants, member->grant_count, role_grants)};
    struct member_row row = {.member_id = member->member_id,
                             .company_id = role.company_id,
                             .is_removed = member->is_removed,
                             .ips = ips,
                             .ip_count = to_prefixes(member->ips, member->ip_count, ips),
                             .role_ids = &role.role_id,
                             .role_count = 1};
    assert_int_equal(image_put_role(image, &role), STATUS_OK);
    if (member->exists)
        assert_int_equal(image_put_member(image, &row), STATUS_OK);
}

static void put_token(struct validator_image *made, struct plain_token *token) {
    struct ip_prefix ips[PLAIN_WORLD_LIST_MAX];
    struct bytes token_domains[PLAIN_WORLD_LIST_MAX], token_grants[PLAIN_WORLD_LIST_MAX];
    struct token_row row = token->row;
    row.rule = (struct policy_rule){
        .grants = token_grants,
        .grant_count = plain_world_borrow(token->grants, token->grant_count, token_grants),
        .domains = token_domains,
        .domain_count = plain_world_borrow(token->domains, token->domain_count, token_domains),
        .ips = ips,
        .ip_count = to_prefixes(token->ips, token->ip_count, ips)};
    token->secret = validator_image_put(made, row);
}

void plain_world_make(struct plain_world *world, struct seed *seed) {
    validator_image_init(&world->made, plain_world_names, PLAIN_WORLD_NAME_COUNT, OPERATOR_ONLY);
    for (uint8_t i = 0; i < PLAIN_WORLD_COMPANIES; i++) {
        choose_company(seed, &world->companies[i], i);
        put_company(world->made.image, &world->companies[i]);
    }
    for (uint8_t i = 0; i < PLAIN_WORLD_MEMBERS; i++) {
        choose_member(seed, &world->members[i], i);
        put_member(world->made.image, &world->members[i], world->companies);
    }
    for (uint8_t i = 0; i < PLAIN_WORLD_TOKENS; i++) {
        choose_token(seed, &world->tokens[i], world, i);
        put_token(&world->made, &world->tokens[i]);
    }
}
// ---- the oracle ----

static bool covers(const char *grant, const char *name) {
    size_t len = strlen(grant);
    if (len < 3 || strcmp(grant + len - 2, ".*") != 0)
        return strcmp(grant, name) == 0;
    return strncmp(grant, name, len - 1) == 0 && strcmp(name, plain_world_names[OPERATOR_ONLY]) != 0;
}

static bool is_covered(const char *const *list, size_t count, const char *name) {
    bool is_in = false;
    for (size_t i = 0; i < count; i++)
        is_in |= covers(list[i], name);
    return is_in;
}

static bool is_known(const char *name) {
    return is_covered(plain_world_names, PLAIN_WORLD_NAME_COUNT, name);
}

bool plain_world_can(const struct plain_world *world, const struct plain_token *token, const char *name) {
    if (!is_known(name))
        return false;
    bool is_granted = is_covered(token->grants, token->grant_count, name);
    if (token->member < 0)
        return is_granted;
    const struct plain_member *member = &world->members[token->member];
    bool is_owners =
        member->exists && (is_covered(member->grants, member->grant_count, name) ||
                           (member->is_administrator && strcmp(name, plain_world_names[OPERATOR_ONLY]) != 0));
    return is_owners && (token->row.kind == TOKEN_KIND_LOGIN || is_granted);
}

static bool contains(const struct prefix_choice *prefix, const struct ip_address *address) {
    if (address->family == IP_FAMILY_NONE || prefix->address.family != address->family)
        return false;
    for (unsigned bit = 0; bit < prefix->bits; bit++)
        if ((prefix->address.bytes[bit / 8] ^ address->bytes[bit / 8]) >> (7 - bit % 8) & 1)
            return false;
    return true;
}

static bool is_in_list(const struct prefix_choice *list, size_t count, const struct ip_address *address) {
    bool is_in = false;
    for (size_t i = 0; i < count; i++)
        is_in |= contains(&list[i], address);
    return is_in;
}

static bool is_in_whitelist(const struct plain_company *company, const struct ip_address *address) {
    bool is_in = false;
    for (size_t i = 0; i < company->entry_count && company->has_whitelist; i++)
        is_in |= company->entries[i].ends_at_ms > PLAIN_WORLD_NOW_MS &&
                 contains(&company->entries[i].prefix, address);
    return is_in;
}

static bool is_whitelist_asked(const struct plain_company *company, const struct plain_token *token) {
    if (!company->has_whitelist)
        return true;
    return company->is_enabled &&
           (company->scope == WHITELIST_SCOPE_ALL || token->row.kind == TOKEN_KIND_LOGIN);
}

static bool matches(const char *pattern, const char *host) {
    if (pattern[0] != '*')
        return strcmp(pattern, host) == 0;
    size_t suffix = strlen(pattern) - 1, len = strlen(host);
    return len > suffix && strcmp(host + len - suffix, pattern + 1) == 0;
}

static bool is_domain_in(const struct plain_token *token, const char *host) {
    for (size_t i = 0; i < token->domain_count && host; i++)
        if (matches(token->domains[i], host))
            return true;
    return false;
}

static bool has_asked_for(const struct plain_world *world, const struct plain_question *question) {
    bool has_all = true, has_any = question->any_count == 0;
    for (size_t i = 0; i < question->all_count; i++)
        has_all &= plain_world_can(world, question->token, question->all[i]);
    for (size_t i = 0; i < question->any_count; i++)
        has_any |= plain_world_can(world, question->token, question->any[i]);
    return has_all && has_any;
}

static enum reason judge_lists(const struct plain_world *world, const struct plain_question *question) {
    const struct plain_token *token = question->token;
    const struct plain_company *company = &world->companies[token->company];
    const struct plain_member *member = token->member < 0 ? NULL : &world->members[token->member];
    const struct ip_address *address = &question->address->address;
    if (is_whitelist_asked(company, token) && !is_in_whitelist(company, address))
        return REASON_COMPANY_IP_NOT_LISTED;
    if (member && member->ip_count > 0 && !is_in_list(member->ips, member->ip_count, address))
        return REASON_MEMBER_IP_NOT_LISTED;
    if (token->ip_count > 0 && !is_in_list(token->ips, token->ip_count, address))
        return REASON_TOKEN_IP_NOT_LISTED;
    if (question->channel == CHANNEL_UI && token->domain_count > 0 &&
        !is_domain_in(token, question->domain->host))
        return REASON_DOMAIN_NOT_LISTED;
    return has_asked_for(world, question) ? REASON_OK : REASON_PERMISSION_MISSING;
}

enum reason plain_world_judge(const struct plain_world *world, const struct plain_question *question) {
    const struct plain_token *token = question->token;
    if (question->is_malformed)
        return REASON_MALFORMED;
    if (!token || !world->companies[token->company].exists)
        return REASON_UNKNOWN;
    const struct token_row *row = &token->row;
    if (world->companies[token->company].is_suspended)
        return REASON_COMPANY_SUSPENDED;
    if (token->member >= 0 &&
        (!world->members[token->member].exists || world->members[token->member].is_removed))
        return REASON_MEMBER_REMOVED;
    if (row->is_deactivated)
        return REASON_DEACTIVATED;
    if (row->is_suspended && row->suspended_until_ms > PLAIN_WORLD_NOW_MS)
        return REASON_SUSPENDED;
    if (row->not_before_ms > PLAIN_WORLD_NOW_MS)
        return REASON_NOT_YET_VALID;
    if (row->expires_at_ms <= PLAIN_WORLD_NOW_MS)
        return REASON_EXPIRED;
    bool is_channel = question->channel == CHANNEL_API || question->channel == CHANNEL_UI;
    if (!is_channel || (row->kind != TOKEN_KIND_LOGIN && !(row->channels & CHANNEL_BIT(question->channel))))
        return REASON_CHANNEL_NOT_ALLOWED;
    return judge_lists(world, question);
}
// ---- questions ----

void plain_world_choose_question(struct seed *seed, struct plain_question *ret) {
    *ret = (struct plain_question){.channel = (int)seed_next_below(seed, 8)};
    if (ret->channel > 3)
        ret->channel = 1 + ret->channel % 2;
    ret->address = &addresses[seed_next_below(seed, ARRAY_LENGTH(addresses))];
    ret->domain = &domains[seed_next_below(seed, ARRAY_LENGTH(domains))];
    if (!seed_is_one_in(seed, 3))
        ret->all_count = choose_texts(seed, asked, ARRAY_LENGTH(asked), ret->all);
    if (seed_is_one_in(seed, 3))
        ret->any_count = choose_texts(seed, asked, ARRAY_LENGTH(asked), ret->any);
}
