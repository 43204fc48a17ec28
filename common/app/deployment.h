// What belongs to the deployment as a whole and to no company: the catalogue of permissions, and the key of
// page tokens. A process reads it once and shares it between its calls, until lane 64 of the change log has
// moved; every look at a caller asks for the head of that lane in passing, so that no call works with less
// than what its own transaction sees.
#ifndef LATCHKEY_COMMON_APP_DEPLOYMENT_H
#define LATCHKEY_COMMON_APP_DEPLOYMENT_H

#include <stdatomic.h>
#include <stdint.h>

#include "common/access/permission.h"
#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/db/transaction.h"

#define PAGE_TOKEN_KEY_LENGTH 32

// Const but for `holders`; any thread.
struct deployment {
    struct permission_catalogue *catalogue; // all present names
    uint8_t page_token_key[PAGE_TOKEN_KEY_LENGTH];
    int64_t head, mark;     // of lane 64, of the same moment
    _Atomic size_t holders; // who adds one holds the cache's lock or is a holder; the last frees it
};

struct deployment_cache;

MUST_CHECK struct deployment_cache *deployment_cache_new(void); // NULL when out of memory
void deployment_cache_free(struct deployment_cache *cache);     // takes NULL

// The deployment as it is where lane 64 stands at `head` with `mark`, read in the transaction unless the
// cache has it. The caller becomes one of its holders. The database's status; INTERNAL where the key is gone,
// NO_MEMORY.
MUST_CHECK enum status deployment_hold(struct deployment_cache *cache, struct db_transaction *transaction,
                                       int64_t head, int64_t mark, struct arena *arena,
                                       const struct deployment **ret_deployment);
void deployment_release(const struct deployment *deployment); // takes NULL

#endif
