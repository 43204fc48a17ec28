// Validate's decisions over an image beside a second implementation: slow and obvious, over the plain rows
// that the image was made of, sharing no code with the product but the parsing of what both are given.
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "services/validator/decide/validate_decide.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"
#include "tests/unit/validator_image.h"

enum {
    WORLDS = UNIT_IS_SANITIZED ? 20 : 400,
    QUESTIONS = 25000, // of each world,
    TOGETHER_MAX = 16, // of which so many are looked up at once, as a loop does with what came together
    COMPANIES = 3,
    MEMBERS = 6,
    TOKENS = 24,
    LIST_MAX = 3,
};
#define NOW_MS CLOCK_MANUAL_START_MS

static const char *const names[] = {"charges.create", "charges.read",         "customers.read",
                                    "invoices.read",  "latchkey.tokens.read", "latchkey.validate.any"};
enum { NAME_COUNT = ARRAY_LENGTH(names), OPERATOR_ONLY = NAME_COUNT - 1 };

static const char *const grants[] = {"charges.create",        "charges.*", "customers.read", "latchkey.*",
                                     "latchkey.validate.any", "gone.*"};
static const char *const asked[] = {"charges.create", "charges.read", "invoices.read",
                                    "latchkey.validate.any", "no.such"};

static const struct address_choice {
    const char *text;
    struct ip_address address; // family 0: can't be read
} addresses[] = {
    {"10.1.2.3", {IP_FAMILY_V4, {10, 1, 2, 3}}},
    {"::ffff:10.1.2.3", {IP_FAMILY_V4, {10, 1, 2, 3}}},
    {"10.1.200.3", {IP_FAMILY_V4, {10, 1, 200, 3}}},
    {"203.0.113.9", {IP_FAMILY_V4, {203, 0, 113, 9}}},
    {"2001:db8::1", {IP_FAMILY_V6, {0x20, 0x01, 0x0d, 0xb8, [15] = 1}}},
    {"", {IP_FAMILY_NONE, {0}}},
    {"010.1.2.3", {IP_FAMILY_NONE, {0}}},
    {"10.1.2.3:80", {IP_FAMILY_NONE, {0}}},
};

static const struct prefix_choice {
    struct ip_address address;
    unsigned bits;
} prefixes[] = {
    {{IP_FAMILY_V4, {10, 1, 2, 0}}, 24},
    {{IP_FAMILY_V4, {10, 0, 0, 0}}, 8},
    {{IP_FAMILY_V4, {203, 0, 113, 9}}, 32},
    {{IP_FAMILY_V6, {0x20, 0x01, 0x0d, 0xb8}}, 32},
    {{IP_FAMILY_V4, {0}}, 0},
};

static const char *const patterns[] = {"app.example.com", "*.example.com", "*.example.org"};
static const struct domain_choice {
    const char *text, *host; // host NULL: matches nothing
} domains[] = {
    {"app.example.com", "app.example.com"},
    {"https://App.example.com", "app.example.com"},
    {"https://app.example.com:8443", NULL},
    {"a.b.example.org", "a.b.example.org"},
    {"example.com", "example.com"},
    {"evilexample.com", "evilexample.com"},
    {"", NULL},
};

// ---- plain rows ----

struct entry {
    struct prefix_choice prefix;
    int64_t ends_at_ms;
};

struct plain_company {
    struct uuid company_id;
    bool exists, has_whitelist, is_suspended, is_enabled;
    uint8_t scope;
    struct entry entries[LIST_MAX];
    size_t entry_count;
};

struct plain_member {
    struct uuid member_id;
    size_t company;
    bool exists, is_removed, is_administrator;
    struct prefix_choice ips[LIST_MAX];
    size_t ip_count;
    const char *grants[LIST_MAX]; // of its one role
    size_t grant_count;
};

struct plain_token {
    struct secret secret;
    struct token_row row; // times, kind, states
    size_t company;
    int member; // -1 = the company's own
    struct prefix_choice ips[LIST_MAX];
    size_t ip_count;
    const char *domains[LIST_MAX];
    size_t domain_count;
    const char *grants[LIST_MAX];
    size_t grant_count;
};

struct world {
    struct plain_company companies[COMPANIES];
    struct plain_member members[MEMBERS];
    struct plain_token tokens[TOKENS];
    struct validator_image made;
};

static bool is_one_in(struct seed *seed, unsigned n) {
    return seed_next_below(seed, n) == 0;
}

static int64_t choose_time(struct seed *seed, int64_t none) {
    const int64_t times[] = {NOW_MS - 1, NOW_MS, NOW_MS + 1, none, none, none, none, none};
    return times[seed_next_below(seed, ARRAY_LENGTH(times))];
}

static size_t choose_prefixes(struct seed *seed, struct prefix_choice *ret) {
    size_t count = is_one_in(seed, 2) ? 0 : 1 + seed_next_below(seed, LIST_MAX);
    for (size_t i = 0; i < count; i++)
        ret[i] = prefixes[seed_next_below(seed, ARRAY_LENGTH(prefixes))];
    return count;
}

static size_t choose_texts(struct seed *seed, const char *const *from, size_t from_count, const char **ret) {
    size_t count = seed_next_below(seed, LIST_MAX + 1);
    for (size_t i = 0; i < count; i++)
        ret[i] = from[seed_next_below(seed, from_count)];
    return count;
}

static void choose_company(struct seed *seed, struct plain_company *company, uint8_t number) {
    *company = (struct plain_company){.company_id = {{1, number, [15] = (uint8_t)(40 + number)}},
                                      .exists = !is_one_in(seed, 8),
                                      .has_whitelist = !is_one_in(seed, 8),
                                      .is_suspended = is_one_in(seed, 8),
                                      .is_enabled = is_one_in(seed, 2),
                                      .scope = (uint8_t)(1 + seed_next_below(seed, 2)),
                                      .entry_count = seed_next_below(seed, LIST_MAX + 1)};
    for (size_t i = 0; i < company->entry_count; i++)
        company->entries[i] = (struct entry){prefixes[seed_next_below(seed, ARRAY_LENGTH(prefixes))],
                                             choose_time(seed, CLOCK_NEVER_MS)};
}

static void choose_member(struct seed *seed, struct plain_member *member, uint8_t number) {
    *member = (struct plain_member){.member_id = {{2, number}},
                                    .company = seed_next_below(seed, COMPANIES),
                                    .exists = !is_one_in(seed, 8),
                                    .is_removed = is_one_in(seed, 8),
                                    .is_administrator = is_one_in(seed, 2)};
    member->ip_count = choose_prefixes(seed, member->ips);
    member->grant_count = choose_texts(seed, grants, ARRAY_LENGTH(grants), member->grants);
}

static void choose_token(struct seed *seed, struct plain_token *token, const struct world *world,
                         uint8_t number) {
    *token = (struct plain_token){.member = (int)seed_next_below(seed, MEMBERS + 2) - 2};
    if (token->member < 0)
        token->member = -1;
    token->company =
        token->member < 0 ? seed_next_below(seed, COMPANIES) : world->members[token->member].company;
    token->row = (struct token_row){.token_id = {{3, number}},
                                    .company_id = world->companies[token->company].company_id,
                                    .kind = is_one_in(seed, 3) && token->member >= 0 ? TOKEN_KIND_LOGIN
                                                                                     : TOKEN_KIND_ACCESS,
                                    .channels = (uint8_t)seed_next_below(seed, 4),
                                    .is_deactivated = is_one_in(seed, 10),
                                    .is_suspended = is_one_in(seed, 4),
                                    .suspended_until_ms = choose_time(seed, CLOCK_NEVER_MS),
                                    .not_before_ms = choose_time(seed, CLOCK_ALWAYS_MS),
                                    .expires_at_ms = choose_time(seed, CLOCK_NEVER_MS),
                                    .external_id = is_one_in(seed, 2) ? BYTES_LITERAL("ext-7") : BYTES_EMPTY};
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

static size_t to_bytes(const char *const *from, size_t count, struct bytes *ret) {
    for (size_t i = 0; i < count; i++)
        ret[i] = bytes_of_text(from[i]);
    return count;
}

static void put_company(struct image *image, const struct plain_company *company) {
    struct ip_set_entry entries[LIST_MAX];
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
    struct ip_prefix ips[LIST_MAX];
    struct bytes role_grants[LIST_MAX];
    struct role_row role = {.role_id = {{4, member->member_id.bytes[1]}},
                            .company_id = companies[member->company].company_id,
                            .is_administrator = member->is_administrator,
                            .grants = role_grants,
                            .grant_count = to_bytes(member->grants, member->grant_count, role_grants)};
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
    struct ip_prefix ips[LIST_MAX];
    struct bytes token_domains[LIST_MAX], token_grants[LIST_MAX];
    struct token_row row = token->row;
    row.rule =
        (struct policy_rule){.grants = token_grants,
                             .grant_count = to_bytes(token->grants, token->grant_count, token_grants),
                             .domains = token_domains,
                             .domain_count = to_bytes(token->domains, token->domain_count, token_domains),
                             .ips = ips,
                             .ip_count = to_prefixes(token->ips, token->ip_count, ips)};
    token->secret = validator_image_put(made, row);
}

static void make_world(struct world *world, struct seed *seed) {
    validator_image_init(&world->made, names, NAME_COUNT, OPERATOR_ONLY);
    for (uint8_t i = 0; i < COMPANIES; i++) {
        choose_company(seed, &world->companies[i], i);
        put_company(world->made.image, &world->companies[i]);
    }
    for (uint8_t i = 0; i < MEMBERS; i++) {
        choose_member(seed, &world->members[i], i);
        put_member(world->made.image, &world->members[i], world->companies);
    }
    for (uint8_t i = 0; i < TOKENS; i++) {
        choose_token(seed, &world->tokens[i], world, i);
        put_token(&world->made, &world->tokens[i]);
    }
}

// ---- the oracle ----

static bool covers(const char *grant, const char *name) {
    size_t len = strlen(grant);
    if (len < 3 || strcmp(grant + len - 2, ".*") != 0)
        return strcmp(grant, name) == 0;
    return strncmp(grant, name, len - 1) == 0 && strcmp(name, names[OPERATOR_ONLY]) != 0;
}

static bool is_covered(const char *const *list, size_t count, const char *name) {
    bool is_in = false;
    for (size_t i = 0; i < count; i++)
        is_in |= covers(list[i], name);
    return is_in;
}

static bool is_known(const char *name) {
    return is_covered(names, NAME_COUNT, name);
}

static bool can(const struct world *world, const struct plain_token *token, const char *name) {
    if (!is_known(name))
        return false;
    bool is_granted = is_covered(token->grants, token->grant_count, name);
    if (token->member < 0)
        return is_granted;
    const struct plain_member *member = &world->members[token->member];
    bool is_owners =
        member->exists && (is_covered(member->grants, member->grant_count, name) ||
                           (member->is_administrator && strcmp(name, names[OPERATOR_ONLY]) != 0));
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
        is_in |= company->entries[i].ends_at_ms > NOW_MS && contains(&company->entries[i].prefix, address);
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

// What is asked, as plain choices.
struct plain_question {
    const struct plain_token *token; // NULL: nobody has the secret
    bool is_malformed;
    int channel;
    const struct address_choice *address;
    const struct domain_choice *domain;
    const char *all[LIST_MAX], *any[LIST_MAX];
    size_t all_count, any_count;
};

static bool has_asked_for(const struct world *world, const struct plain_question *question) {
    bool has_all = true, has_any = question->any_count == 0;
    for (size_t i = 0; i < question->all_count; i++)
        has_all &= can(world, question->token, question->all[i]);
    for (size_t i = 0; i < question->any_count; i++)
        has_any |= can(world, question->token, question->any[i]);
    return has_all && has_any;
}

static enum reason judge_lists(const struct world *world, const struct plain_question *question) {
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

static enum reason judge(const struct world *world, const struct plain_question *question) {
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
    if (row->is_suspended && row->suspended_until_ms > NOW_MS)
        return REASON_SUSPENDED;
    if (row->not_before_ms > NOW_MS)
        return REASON_NOT_YET_VALID;
    if (row->expires_at_ms <= NOW_MS)
        return REASON_EXPIRED;
    bool is_channel = question->channel == CHANNEL_API || question->channel == CHANNEL_UI;
    if (!is_channel || (row->kind != TOKEN_KIND_LOGIN && !(row->channels & CHANNEL_BIT(question->channel))))
        return REASON_CHANNEL_NOT_ALLOWED;
    return judge_lists(world, question);
}

// ---- asking both ----

struct asking {
    struct seed seed;
    struct secret stranger; // well-formed, nobody's
    uint64_t given[REASON_COUNT];
};

static struct bytes choose_secret(struct asking *asking, const struct world *world,
                                  struct plain_question *plain) {
    static const char *const misshapen[] = {"", "lka_", "Bearer x"};
    if (is_one_in(&asking->seed, 20))
        return bytes_of(asking->stranger.text, SECRET_LENGTH);
    if (is_one_in(&asking->seed, 20)) {
        plain->is_malformed = true;
        return bytes_of_text(misshapen[seed_next_below(&asking->seed, ARRAY_LENGTH(misshapen))]);
    }
    plain->token = &world->tokens[seed_next_below(&asking->seed, TOKENS)];
    return bytes_of(plain->token->secret.text, SECRET_LENGTH);
}

static void choose_question(struct asking *asking, const struct world *world, struct plain_question *plain,
                            struct validate_question *question, struct bytes lists[2][LIST_MAX]) {
    struct seed *seed = &asking->seed;
    *plain = (struct plain_question){.channel = (int)seed_next_below(seed, 8)};
    if (plain->channel > 3)
        plain->channel = 1 + plain->channel % 2;
    plain->address = &addresses[seed_next_below(seed, ARRAY_LENGTH(addresses))];
    plain->domain = &domains[seed_next_below(seed, ARRAY_LENGTH(domains))];
    if (!is_one_in(seed, 3))
        plain->all_count = choose_texts(seed, asked, ARRAY_LENGTH(asked), plain->all);
    if (is_one_in(seed, 3))
        plain->any_count = choose_texts(seed, asked, ARRAY_LENGTH(asked), plain->any);
    *question =
        (struct validate_question){.token = choose_secret(asking, world, plain),
                                   .client_ip = bytes_of_text(plain->address->text),
                                   .domain = bytes_of_text(plain->domain->text),
                                   .channel = plain->channel,
                                   .permissions = lists[0],
                                   .permission_count = to_bytes(plain->all, plain->all_count, lists[0]),
                                   .any_permissions = lists[1],
                                   .any_permission_count = to_bytes(plain->any, plain->any_count, lists[1])};
}

static struct validate_asker choose_asker(struct seed *seed, const struct world *world) {
    struct validate_asker asker = {.is_local = !is_one_in(seed, 4), .has_bearer = is_one_in(seed, 2)};
    if (!asker.has_bearer)
        return asker;
    asker.company_id = world->companies[seed_next_below(seed, COMPANIES)].company_id;
    asker.has_any = is_one_in(seed, 2);
    asker.has_detail = is_one_in(seed, 2);
    return asker;
}

static bool is_visible(const struct validate_asker *asker, const struct world *world,
                       const struct plain_token *token) {
    struct uuid company_id = world->companies[token->company].company_id;
    return asker->is_local || asker->has_any ||
           (asker->has_bearer && uuid_is_equal(asker->company_id, company_id));
}

static bool has_detail(const struct validate_asker *asker, const struct world *world,
                       const struct plain_token *token) {
    struct uuid company_id = world->companies[token->company].company_id;
    return asker->has_detail && (asker->has_any || uuid_is_equal(asker->company_id, company_id));
}

static void check_ids(const struct world *world, const struct plain_token *token,
                      const struct validate_answer *answer) {
    struct uuid company_id = world->companies[token->company].company_id;
    assert_true(bytes_is_text(answer->company_id, typeid_of(TYPEID_COMPANY, company_id).text));
    assert_true(bytes_is_text(answer->token_id, typeid_of(TYPEID_TOKEN, token->row.token_id).text));
    assert_true(answer->expires_at_ms == token->row.expires_at_ms);
}

static void check_allowed(const struct world *world, const struct plain_token *token,
                          const struct validate_answer *answer) {
    check_ids(world, token, answer);
    const char *member_id =
        token->member < 0 ? "" : typeid_of(TYPEID_MEMBER, world->members[token->member].member_id).text;
    assert_true(bytes_is_text(answer->member_id, member_id));
    assert_true(bytes_is_text(answer->company_external_id, "acme"));
    assert_true(bytes_is_equal(answer->token_external_id, token->row.external_id));
    assert_int_equal(answer->kind, token->row.kind);
    assert_int_equal(answer->missing_count, 0);
    struct bytes rest = answer->permissions, name;
    for (size_t i = 0; i < NAME_COUNT; i++) // they are sorted, and so is the answer
        if (can(world, token, names[i]))
            assert_true(permission_tail_next(&rest, &name) && bytes_is_text(name, names[i]));
    assert_int_equal(rest.len, 0);
}

static void check_missing(const struct world *world, const struct plain_question *plain,
                          const struct validate_answer *answer) {
    size_t count = 0;
    bool has_any = plain->any_count == 0;
    for (size_t i = 0; i < plain->any_count; i++)
        has_any |= can(world, plain->token, plain->any[i]);
    for (size_t i = 0; i < plain->all_count; i++)
        if (!can(world, plain->token, plain->all[i]))
            assert_true(bytes_is_text(answer->missing[count++], plain->all[i]));
    for (size_t i = 0; i < plain->any_count && !has_any; i++)
        assert_true(bytes_is_text(answer->missing[count++], plain->any[i]));
    assert_int_equal(answer->missing_count, count);
}

static void check_refused(const struct world *world, const struct plain_question *plain,
                          const struct validate_asker *asker, const struct validate_answer *answer,
                          bool is_found) {
    assert_int_equal(answer->member_id.len, 0);
    assert_int_equal(answer->company_external_id.len, 0);
    assert_int_equal(answer->token_external_id.len, 0);
    assert_int_equal(answer->permissions.len, 0);
    assert_int_equal(answer->kind, TOKEN_KIND_NONE);
    if (!is_found || !has_detail(asker, world, plain->token)) {
        assert_int_equal(answer->company_id.len + answer->token_id.len + answer->missing_count, 0);
        assert_true(answer->expires_at_ms == CLOCK_NEVER_MS);
        return;
    }
    check_ids(world, plain->token, answer);
    if (answer->reason == REASON_PERMISSION_MISSING)
        check_missing(world, plain, answer);
    else
        assert_int_equal(answer->missing_count, 0);
}

static void check_revision(const struct world *world, const struct plain_question *plain,
                           const struct validate_answer *answer) {
    struct revision revision;
    assert_true(revision_parse(answer->revision, &revision));
    assert_int_equal(revision.seq, VALIDATOR_IMAGE_SEQ);
    unsigned lane = plain->is_malformed ? LANE_DEPLOYMENT
                    : plain->token      ? world->companies[plain->token->company].company_id.bytes[15] & 63u
                                        : 0;
    assert_int_equal(revision.lane, lane);
}

struct inquiry {
    struct plain_question plain;
    struct validate_question question;
    struct bytes lists[2][LIST_MAX]; // what the question points to
    struct validate_asker asker;
    struct validate_view view;
    struct validate_key key;
};

static void choose_inquiry(struct asking *asking, const struct world *world, struct inquiry *inquiry) {
    choose_question(asking, world, &inquiry->plain, &inquiry->question, inquiry->lists);
    inquiry->asker = choose_asker(&asking->seed, world);
    inquiry->view =
        (struct validate_view){.image = world->made.image,
                               .positions = lanes_get_positions(image_get_lanes(world->made.image)),
                               .shape = &validator_image_shape,
                               .now_ms = NOW_MS,
                               .folds_reasons = is_one_in(&asking->seed, 4)};
}

static void compare(struct asking *asking, const struct world *world, const struct inquiry *inquiry,
                    const struct validate_answer *answer) {
    const struct plain_question *plain = &inquiry->plain;
    const struct validate_asker *asker = &inquiry->asker;
    enum reason expected = judge(world, plain);
    bool is_found = plain->token && expected != REASON_UNKNOWN && is_visible(asker, world, plain->token);
    if (plain->token && !is_found)
        expected = REASON_UNKNOWN;
    bool sees_detail = is_found ? has_detail(asker, world, plain->token) : asker->has_detail;
    if (inquiry->view.folds_reasons && !sees_detail && expected >= REASON_MALFORMED &&
        expected <= REASON_EXPIRED)
        expected = REASON_UNKNOWN;
    assert_int_equal(answer->reason, expected);
    asking->given[expected]++;
    check_revision(world, plain, answer);
    if (expected == REASON_OK)
        check_allowed(world, plain->token, answer);
    else
        check_refused(world, plain, asker, answer, is_found);
}

static void ask_both(struct asking *asking, const struct world *world, size_t count, struct arena *arena) {
    struct inquiry inquiries[TOGETHER_MAX];
    struct validate_answer answer;
    struct validate_keys keys = {0};
    for (size_t i = 0; i < count; i++) {
        choose_inquiry(asking, world, &inquiries[i]);
        validate_keys_add(&keys, &inquiries[i].view, inquiries[i].question.token, &inquiries[i].key);
    }
    validate_keys_end(&keys);
    for (size_t i = 0; i < count; i++)
        validate_key_advance(&inquiries[i].view, &inquiries[i].key);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(validate_decide_by_key(&inquiries[i].view, &inquiries[i].asker,
                                                &inquiries[i].question, &inquiries[i].key, arena, &answer),
                         STATUS_OK);
        compare(asking, world, &inquiries[i], &answer);
    }
}

static void ask_about_world(struct asking *asking, const struct world *world, struct arena *arena) {
    size_t left = QUESTIONS;
    while (left > 0) {
        size_t together = 1 + seed_next_below(&asking->seed, TOGETHER_MAX);
        size_t count = together < left ? together : left;
        arena_reset(arena);
        ask_both(asking, world, count, arena);
        left -= count;
    }
}

static void millions_of_answers_agree_with_the_oracle_and_every_reason_comes(void **state) {
    (void)state;
    static struct world world;
    struct asking asking = {.seed = seed_new()};
    struct arena arena;
    arena_init(&arena, 0);
    secret_new(VALIDATOR_IMAGE_BRAND, SECRET_ACCESS, 0, &asking.stranger);
    for (int i = 0; i < WORLDS; i++) {
        make_world(&world, &asking.seed);
        ask_about_world(&asking, &world, &arena);
        validator_image_fini(&world.made);
    }
    arena_fini(&arena);
    for (enum reason reason = REASON_OK; reason <= ACCESS_LAST_CHECK; reason++) {
        printf("%10lu %s\n", (unsigned long)asking.given[reason], reason_get_name(reason));
        assert_true(asking.given[reason] > 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(millions_of_answers_agree_with_the_oracle_and_every_reason_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
