// The rows of a small deployment as plain arrays, and what an image made of them must answer for each secret,
// as one line of text: worked out from the arrays, and asked of an image.
#ifndef LATCHKEY_TESTS_UNIT_PLAIN_IMAGE_H
#define LATCHKEY_TESTS_UNIT_PLAIN_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"
#include "services/validator/image/image.h"
#include "tests/unit/seed.h"

enum {
    PLAIN_COMPANIES = 3,
    PLAIN_ROLES = 6,
    PLAIN_MEMBERS = 8,
    PLAIN_TOKENS = 16,
    PLAIN_SECRETS = 2, // of one token
    PLAIN_NAMES = 8,
    PLAIN_ITEMS = 4, // of one list
};

struct plain_rows {
    bool is_known[PLAIN_NAMES], is_operator_only[PLAIN_NAMES]; // the catalogue
    struct {
        bool exists, is_suspended;
        size_t external_id; // length
        bool has_whitelist, is_enabled;
        unsigned scope;
        size_t entries[PLAIN_ITEMS], entry_count;
    } companies[PLAIN_COMPANIES];
    struct {
        bool exists, is_administrator;
        size_t grants[PLAIN_ITEMS], grant_count;
    } roles[PLAIN_ROLES]; // role r is of company r % PLAIN_COMPANIES; so are members and tokens
    struct {
        bool exists, is_removed;
        size_t ips[PLAIN_ITEMS], ip_count;
        size_t roles[PLAIN_ITEMS], role_count;
    } members[PLAIN_MEMBERS];
    struct {
        bool exists, is_deactivated, is_suspended, is_owned_by_company;
        unsigned kind, channels;
        int64_t suspended_until_ms, not_before_ms, expires_at_ms;
        size_t external_id;
        bool has_secret[PLAIN_SECRETS];
        size_t grants[PLAIN_ITEMS], grant_count;
        size_t ips[PLAIN_ITEMS], ip_count;
        size_t domains[PLAIN_ITEMS], domain_count;
    } tokens[PLAIN_TOKENS];
};

// What has changed, by kind.
struct plain_change {
    bool catalogue;
    bool companies[PLAIN_COMPANIES], roles[PLAIN_ROLES], members[PLAIN_MEMBERS], tokens[PLAIN_TOKENS];
    bool whole[PLAIN_COMPANIES]; // everything of the company is read again
};

void plain_draw_rows(struct seed *seed, struct plain_rows *ret);
// Draws some of the rows anew.
void plain_change_rows(struct seed *seed, struct plain_rows *rows, struct plain_change *ret);

// One pass: puts what has changed and sweeps what is gone. NULL change: everything.
enum status plain_apply(const struct plain_rows *rows, const struct plain_change *change,
                        struct image *image);

struct digest plain_get_digest(size_t token, size_t secret);
const char *plain_describe(const struct plain_rows *rows, size_t token, size_t secret, struct arena *arena);
// The caller is a reader who is online, or the writer.
const char *plain_describe_image(const struct image *image, const struct digest *digest, struct arena *arena);
// Fails the test unless the image is whole and says of every secret what the rows say. The same caller.
void plain_check_image(const struct plain_rows *rows, const struct image *image);

#endif
