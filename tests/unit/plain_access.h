// The decision a second time: slow, obvious, and by other means than the product's (lists are arrays that are
// walked, bits are compared one by one, names label by label). Random subjects and requests in this form, and
// the same put together for the product.
#ifndef LATCHKEY_TESTS_UNIT_PLAIN_ACCESS_H
#define LATCHKEY_TESTS_UNIT_PLAIN_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/access/decision.h"
#include "common/base/arena.h"
#include "tests/unit/seed.h"

#define PLAIN_NOW_MS INT64_C(1767268800000)
#define PLAIN_LIST_MAX 12 // both sides of where a set becomes a trie
#define PLAIN_PERMISSIONS 12
#define PLAIN_ASKED_MAX 3

// Of a list, -1 for none.
#define PLAIN_NONE (-1)

struct plain_entry {
    struct ip_address address;
    unsigned bits;
    int64_t ends_at_ms;
};

struct plain_list {
    bool is_set;
    size_t count;
    struct plain_entry entries[PLAIN_LIST_MAX];
};

struct plain_domains {
    bool is_set;
    size_t count;
    const char *patterns[PLAIN_LIST_MAX];
};

struct plain_subject {
    enum token_kind kind;
    bool is_company_suspended, is_member_removed, is_deactivated, is_suspended, is_company_owned;
    bool is_whitelist_enabled, is_for_api, is_for_ui;
    unsigned whitelist_scope;
    int64_t not_before_ms, expires_at_ms, suspended_until_ms;
    struct plain_list company, member, token;
    struct plain_domains domains;
    bool is_granted[PLAIN_PERMISSIONS], is_owners[PLAIN_PERMISSIONS];
};

struct plain_request {
    unsigned channel;
    struct ip_address address;
    struct bytes domain;
    const char *host; // what `domain` names; NULL = nothing that can be read
    size_t asked[PLAIN_ASKED_MAX], asked_count;
    size_t any[PLAIN_ASKED_MAX], any_count;
};

void plain_draw_subject(struct seed *seed, struct plain_subject *ret);

// Half of the addresses lie in or near an entry of the subject.
void plain_draw_request(struct seed *seed, const struct plain_subject *subject, struct plain_request *ret);

bool plain_passes(enum reason check, const struct plain_subject *subject,
                  const struct plain_request *request);
enum reason plain_decide(const struct plain_subject *subject, const struct plain_request *request);

// The longest live entry that holds the address, and the nearest to one that no live entry holds: by their
// number, PLAIN_NONE for none.
int plain_find(const struct plain_list *list, const struct ip_address *address);
int plain_find_nearest(const struct plain_list *list, const struct ip_address *address);
bool plain_covers(const struct plain_entry *entry, const struct ip_address *address);

// Number of a permission; PERMISSION_ID_NONE for the last but one, beyond every set for the last.
uint32_t plain_get_id(size_t permission);

// The same for the product, in the arena. A set that is not unset is there even if it is empty.
struct access_subject plain_make_subject(const struct plain_subject *plain, struct arena *arena);
struct access_request plain_make_request(const struct plain_request *plain, struct arena *arena);

#endif
