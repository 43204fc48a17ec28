// A world of random companies, members and tokens as plain rows, with the image that is made of them, and
// what Validate has to answer about it: slow and obvious, sharing no code with the product but the parsing of
// what both are given.
#ifndef LATCHKEY_TESTS_UNIT_PLAIN_WORLD_H
#define LATCHKEY_TESTS_UNIT_PLAIN_WORLD_H

#include "common/base/clock.h"
#include "services/validator/decide/validate_decide.h"
#include "tests/unit/seed.h"
#include "tests/unit/validator_image.h"

enum {
    PLAIN_WORLD_NAME_COUNT = 6,
    PLAIN_WORLD_COMPANIES = 3,
    PLAIN_WORLD_MEMBERS = 6,
    PLAIN_WORLD_TOKENS = 24,
    PLAIN_WORLD_LIST_MAX = 3,
};
#define PLAIN_WORLD_NOW_MS CLOCK_MANUAL_START_MS

extern const char *const plain_world_names[PLAIN_WORLD_NAME_COUNT]; // of permissions, sorted

struct address_choice {
    const char *text;
    struct ip_address address; // family 0: can't be read
};

struct prefix_choice {
    struct ip_address address;
    unsigned bits;
};

struct domain_choice {
    const char *text, *host; // host NULL: matches nothing
};

struct plain_entry {
    struct prefix_choice prefix;
    int64_t ends_at_ms;
};

struct plain_company {
    struct uuid company_id;
    bool exists, has_whitelist, is_suspended, is_enabled;
    uint8_t scope;
    struct plain_entry entries[PLAIN_WORLD_LIST_MAX];
    size_t entry_count;
};

struct plain_member {
    struct uuid member_id;
    size_t company;
    bool exists, is_removed, is_administrator;
    struct prefix_choice ips[PLAIN_WORLD_LIST_MAX];
    size_t ip_count;
    const char *grants[PLAIN_WORLD_LIST_MAX]; // of its one role
    size_t grant_count;
};

struct plain_token {
    struct secret secret;
    struct token_row row; // times, kind, states
    size_t company;
    int member; // -1 = the company's own
    struct prefix_choice ips[PLAIN_WORLD_LIST_MAX];
    size_t ip_count;
    const char *domains[PLAIN_WORLD_LIST_MAX];
    size_t domain_count;
    const char *grants[PLAIN_WORLD_LIST_MAX];
    size_t grant_count;
};

struct plain_world {
    struct plain_company companies[PLAIN_WORLD_COMPANIES];
    struct plain_member members[PLAIN_WORLD_MEMBERS];
    struct plain_token tokens[PLAIN_WORLD_TOKENS];
    struct validator_image made;
};

// What is asked, as plain choices.
struct plain_question {
    const struct plain_token *token; // NULL: nobody has the secret
    bool is_malformed;
    int channel;
    const struct address_choice *address;
    const struct domain_choice *domain;
    const char *all[PLAIN_WORLD_LIST_MAX], *any[PLAIN_WORLD_LIST_MAX];
    size_t all_count, any_count;
};

void plain_world_make(struct plain_world *world, struct seed *seed); // `made` is to be ended

// All but the secret.
void plain_world_choose_question(struct seed *seed, struct plain_question *ret);

// Returns `count`.
size_t plain_world_borrow(const char *const *texts, size_t count, struct bytes *ret);

bool plain_world_can(const struct plain_world *world, const struct plain_token *token, const char *name);

// The reason for who may see the token and its company.
enum reason plain_world_judge(const struct plain_world *world, const struct plain_question *question);

#endif
