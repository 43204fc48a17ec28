// What a validator knows: every token with its company, its owner and their lists, and how far into the
// change log that is. One writer keeps it up to date while any number of loop threads decide by it.
//
//     token table --digest--> token_record --> member --> member_facts     (permissions now, own addresses)
//                                          |          '-> company           (the member's)
//                                          |-> company --> company_facts    (whitelist, suspension)
//                                          '-> policy                       (what was granted; interned)
//
// The lists behind facts and policies, of addresses, domains and permissions, are interned too: equal ones
// are the same object, whoever they are of.
//
// Everything behind an arrow is immutable; the arrows from `company` and `member` to their facts and the one
// to a policy's permission set are swapped by one release store. So a changed role or whitelist touches one
// pointer for each member or company, never the tokens. A cell (company, member) lives as long as the image:
// its rows are never deleted in use, and a hand that does so leaves an empty cell, which denies.
//
// Applying rows is idempotent: a row is put as it is now, whatever stood there.
#ifndef LATCHKEY_SERVICES_VALIDATOR_IMAGE_IMAGE_H
#define LATCHKEY_SERVICES_VALIDATOR_IMAGE_IMAGE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/access/permission.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "services/validator/image/image_observer.h"
#include "services/validator/image/image_rows.h"
#include "services/validator/image/lanes.h"
#include "services/validator/image/reclaim.h"
#include "services/validator/image/token_table.h"

struct image;

// As latchkey.company_lane() in the database.
static inline uint8_t image_get_lane_of(const struct uuid *company_id) {
    return company_id->bytes[15] & 63;
}

// Immutable. NULL in place of it: no such company, or not known yet.
struct company_facts {
    struct uuid company_id;
    uint8_t lane;
    bool is_suspended;
    bool is_whitelist_enabled; // also where the company has no whitelist row: nobody is listed then
    uint8_t whitelist_scope;
    const struct ip_set *ips; // of the live list; NULL = nobody
    char id_text[32];         // "cmp_..."
    size_t external_id_len;
    char external_id[];
};

// Immutable. NULL in place of it: no such member.
struct member_facts {
    bool is_removed;
    const struct ip_set *ips;                 // NULL = no restriction
    const struct permission_set *permissions; // what the roles give now
    char id_text[32];                         // "mbr_..."
};

// ---- for readers, while they are online (quiescence.h) ----

const struct token_record *image_find_token_or_decoy(const struct image *image, const struct digest *digest,
                                                     bool *ret_is_found); // token_table.h
const struct company_facts *image_get_company(const struct image *image, const struct token_record *record);
const struct member_facts *image_get_member(const struct image *image,
                                            const struct token_record *record); // record->has_member
const struct policy *image_get_policy(const struct image *image, const struct token_record *record);
const struct token_extra *image_get_extra(const struct image *image,
                                          const struct token_record *record); // NULL = nothing of it
const struct permission_catalogue *image_get_catalogue(const struct image *image);
const struct lanes *image_get_lanes(const struct image *image);
bool image_serves(const struct image *image, unsigned lane);

// A look-up in three steps, for many at once (token_table.h).
void image_begin_probe(const struct image *image, const struct digest *digest, struct token_probe *ret_probe);
void image_advance_probe(const struct image *image, struct token_probe *probe);
const struct token_record *image_end_probe(const struct image *image, const struct token_probe *probe,
                                           bool *ret_is_found);

// ---- for the writer ----

// Empty. What is replaced goes to `reclaim`, which is borrowed and must have been run before image_free().
// With the key fingerprints are made of digests, which are not kept: who puts tokens, or is to know them
// again in another process or file, needs it. Rows of companies of lanes that are not served are not taken,
// whoever puts them: they are as good as not there, and those that came to such a company are swept.
MUST_CHECK enum status image_new(struct reclaim *reclaim, const struct fingerprint_key *key,
                                 struct lane_set served, struct image **ret_image);

// No reader may hold anything of it any more. Takes NULL.
void image_free(struct image *image);

struct lanes *image_get_own_lanes(struct image *image);

// From now on it is told what is put and swept; NULL: nobody is. Borrows both.
void image_set_observer(struct image *image, const struct image_observer *observer, void *context);

const struct fingerprint_key *image_get_fingerprint_key(const struct image *image);

// TOO_LARGE: the numbers of permissions may have run out (permission.h), and a new image has them again.
// Every grant is expanded anew, so that a call that ran out of memory is made good by the next. First of all:
// rows are put against a catalogue.
MUST_CHECK enum status image_set_catalogue(struct image *image,
                                           const struct permission_definition *definitions, size_t count);

// A pass puts rows that were read together; what was asked about and is not in the answer is swept away by
// image_sweep() before the next pass begins. What is put before the first one is a load, of which nothing
// can be swept.
void image_begin_pass(struct image *image);

// A load is about to put so many tokens, as far as anybody knows: it goes faster with room made at once.
// After the last of them what was too much is given back.
void image_reserve_tokens(struct image *image, size_t count);
void image_trim_tokens(struct image *image);

// Asks the memory for what image_put_token() of that row reads: some rows ahead.
void image_prefetch_token(const struct image *image, const struct token_row *row);

MUST_CHECK enum status image_put_company(struct image *image, const struct company_row *row);
MUST_CHECK enum status image_put_whitelist(struct image *image, const struct whitelist_row *row);
MUST_CHECK enum status image_put_role(struct image *image, const struct role_row *row);
MUST_CHECK enum status image_put_member(struct image *image, const struct member_row *row);
MUST_CHECK enum status image_put_token(struct image *image, const struct token_row *row);

// The live entries of a company's live list, all of them. Borrows.
MUST_CHECK enum status image_set_entries(struct image *image, const struct uuid *company_id,
                                         const struct ip_set_entry *entries, size_t count);

// What the list has under some prefixes; the rest of it stays as it is. Borrows.
MUST_CHECK enum status image_change_entries(struct image *image, const struct uuid *company_id,
                                            const struct ip_set_change *change);

// The list whose entries count; zero if none.
struct uuid image_find_live_list(const struct image *image, const struct uuid *company_id);

// What the pass has not put is gone: the company itself, its whitelist, one role, member or token by its id,
// or all that a company has of the kind.
MUST_CHECK enum status image_sweep(struct image *image, enum image_scope scope, const struct uuid *id);

// Members whose roles were put or swept in this pass get their permissions anew. After the roles of a pass
// and before its members.
MUST_CHECK enum status image_apply_roles(struct image *image);

// The best secret of a token, the one that ends last. NULL if there is none.
const struct token_record *image_find_token_by_id(const struct image *image, const struct uuid *token_id);
bool image_has_company(const struct image *image, const struct uuid *company_id);

struct image_statistics {
    size_t tokens; // secrets
    size_t companies, members, roles, policies;
    size_t token_bytes; // records, their table and index, policies
    size_t list_bytes;  // lists of addresses, domains and permissions, each once, whoever they are of
};

struct image_statistics image_get_statistics(const struct image *image);

#endif
