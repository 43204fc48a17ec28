#include "common/app/deployment.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { READ };

static const struct db_statement statements[] = {
    // One statement, so one moment.
    [READ] = {"deployment_read", "SELECT l.head, l.mark, k.key, p.name, p.operator_only"
                                 " FROM latchkey.change_lane l CROSS JOIN latchkey.page_token_key k"
                                 " LEFT JOIN latchkey.permission p ON true WHERE l.lane = 64"},
};

// Columns of READ.
enum { HEAD, MARK, KEY, NAME, OPERATOR_ONLY };

struct deployment_cache {
    pthread_mutex_t lock;
    struct deployment *newest; // NULL = none yet; the cache is one of its holders
};

struct deployment_cache *deployment_cache_new(void) {
    struct deployment_cache *cache = calloc(1, sizeof(*cache));
    if (cache)
        pthread_mutex_init(&cache->lock, NULL);
    return cache;
}

void deployment_cache_free(struct deployment_cache *cache) {
    if (!cache)
        return;
    deployment_release(cache->newest);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

void deployment_release(const struct deployment *deployment) {
    struct deployment *own = (struct deployment *)deployment;
    // acq_rel: what every holder did with it comes before the end of it.
    if (!own || atomic_fetch_sub_explicit(&own->holders, 1, memory_order_acq_rel) > 1)
        return;
    permission_catalogue_free(own->catalogue);
    free(own);
}

static const struct deployment *hold(struct deployment *deployment) {
    atomic_fetch_add_explicit(&deployment->holders, 1, memory_order_relaxed);
    return deployment;
}

static const struct deployment *hold_if_it_stands(struct deployment_cache *cache, int64_t head,
                                                  int64_t mark) {
    pthread_mutex_lock(&cache->lock);
    struct deployment *newest = cache->newest;
    const struct deployment *held =
        newest && newest->head == head && newest->mark == mark ? hold(newest) : NULL;
    pthread_mutex_unlock(&cache->lock);
    return held;
}

static void replace_newest(struct deployment_cache *cache, struct deployment *deployment) {
    pthread_mutex_lock(&cache->lock);
    struct deployment *old = cache->newest;
    cache->newest = deployment;
    pthread_mutex_unlock(&cache->lock);
    deployment_release(old);
}

static struct permission_catalogue *make_catalogue(const struct db_result *rows, struct arena *arena) {
    size_t count = (size_t)db_result_get_row_count(rows);
    struct permission_definition *definitions = ARENA_NEW_ARRAY(arena, struct permission_definition, count);
    if (!definitions)
        return NULL;
    if (db_result_is_null(rows, 0, NAME)) // an empty catalogue
        count = 0;
    for (size_t i = 0; i < count; i++) {
        definitions[i].name = db_result_get_text(rows, (int)i, NAME);
        definitions[i].is_operator_only = db_result_get_bool(rows, (int)i, OPERATOR_ONLY);
    }
    return permission_catalogue_new(NULL, definitions, count);
}

static struct deployment *make_deployment(const struct db_result *rows, struct arena *arena) {
    struct deployment *deployment = calloc(1, sizeof(*deployment));
    struct permission_catalogue *catalogue = make_catalogue(rows, arena);
    if (!deployment || !catalogue) {
        permission_catalogue_free(catalogue);
        free(deployment);
        return NULL;
    }
    deployment->catalogue = catalogue;
    deployment->head = db_result_get_int64(rows, 0, HEAD);
    deployment->mark = db_result_get_int64(rows, 0, MARK);
    struct bytes key = db_result_get_bytes(rows, 0, KEY);
    memcpy(deployment->page_token_key, key.data,
           key.len < PAGE_TOKEN_KEY_LENGTH ? key.len : PAGE_TOKEN_KEY_LENGTH);
    atomic_init(&deployment->holders, 2); // the cache and the caller
    return deployment;
}

enum status deployment_hold(struct deployment_cache *cache, struct db_transaction *transaction, int64_t head,
                            int64_t mark, struct arena *arena, const struct deployment **ret_deployment) {
    const struct deployment *held = hold_if_it_stands(cache, head, mark);
    if (held) {
        *ret_deployment = held;
        return STATUS_OK;
    }
    const struct db_result *rows;
    enum status status = db_query(transaction, &statements[READ], NULL, &rows);
    if (status != STATUS_OK)
        return status;
    if (db_result_get_row_count(rows) == 0) // somebody has deleted the key
        return STATUS_INTERNAL;
    struct deployment *read = make_deployment(rows, arena);
    if (!read)
        return STATUS_NO_MEMORY;
    replace_newest(cache, read);
    *ret_deployment = read;
    return STATUS_OK;
}
