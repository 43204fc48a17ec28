// The lists that companies, members and policies have in common: addresses, domains, permissions. Equal ones
// are held once (intern_table.h), whoever they are of: a million tokens with a hundred lists cost a hundred.
#ifndef LATCHKEY_SERVICES_VALIDATOR_IMAGE_CONTENT_POOL_H
#define LATCHKEY_SERVICES_VALIDATOR_IMAGE_CONTENT_POOL_H

#include "common/access/permission.h"
#include "common/base/bytes.h"
#include "common/ip/prefix.h"
#include "services/validator/image/intern_table.h"

struct content_pool {
    struct intern_table ip_sets;         // struct ip_set
    struct intern_table domain_sets;     // struct domain_set
    struct intern_table permission_sets; // struct permission_set
};

void content_pool_init(struct content_pool *pool, struct reclaim *reclaim); // borrows
void content_pool_fini(struct content_pool *pool); // nothing is held any more; zeroed memory will do

// One reference to the set of these prefixes, which do not end. None: NULL.
MUST_CHECK enum status content_pool_put_prefixes(struct content_pool *pool, const struct ip_prefix *prefixes,
                                                 size_t count, struct interned **ret_ips);

// One reference to that set, or one equal to it, with its tail, unless that is long (permission_tail.h).
// Takes the set, also when that fails; NULL is out of memory.
MUST_CHECK enum status content_pool_put_permissions(struct content_pool *pool,
                                                    const struct permission_catalogue *catalogue,
                                                    struct permission_set *set,
                                                    struct interned **ret_permissions);

// The same of domain patterns.
MUST_CHECK enum status content_pool_put_domains(struct content_pool *pool, const struct bytes *patterns,
                                                size_t count, struct interned **ret_domains);

size_t content_pool_get_size_bytes(const struct content_pool *pool);

#endif
