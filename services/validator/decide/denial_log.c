// Entries stand in arrays and name each other by number. Each is on three lists: its hash chain, its
// company's ring and the ring of all, the latest first in both. A company is there while it has an entry, so
// as many companies as entries are enough.
#include "services/validator/decide/denial_log.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/multiply_fold.h"
#include "common/base/random.h"

#define NONE UINT32_MAX

struct links {
    uint32_t newer, older;
};

struct list {
    uint32_t newest, oldest;
};

enum { OF_COMPANY, OF_ALL, LIST_KINDS };

struct entry {
    struct denial denial;
    uint64_t hash;
    uint32_t next; // of its chain, or free
    uint32_t company;
    struct links links[LIST_KINDS];
};

struct company {
    struct uuid company_id;
    uint32_t next; // of its chain, or free
    uint32_t count;
    struct list entries;
};

struct denial_log {
    pthread_mutex_t lock; // the loop only tries
    size_t max, company_max, mask;
    uint64_t keys[2]; // of the hash, random: what is hashed is chosen by clients
    struct list all;
    uint32_t free_entry, free_company;
    struct entry *entries;
    struct company *companies;
    uint32_t *entry_chains, *company_chains;
};

// ---- hashes ----

static uint64_t hash_bytes(const struct denial_log *log, const void *data, size_t len) {
    return multiply_fold_bytes(bytes_of(data, len), log->keys);
}

static size_t get_key_size(const struct denial_key *key) {
    return offsetof(struct denial_key, domain) + key->domain_len;
}

static uint32_t *get_company_chain(const struct denial_log *log, const struct uuid *company_id) {
    return &log->company_chains[hash_bytes(log, company_id, sizeof(*company_id)) & log->mask];
}

// ---- lists ----

static void link_newest(struct denial_log *log, struct list *list, int kind, uint32_t number) {
    log->entries[number].links[kind] = (struct links){.newer = NONE, .older = list->newest};
    if (list->newest != NONE)
        log->entries[list->newest].links[kind].newer = number;
    else
        list->oldest = number;
    list->newest = number;
}

static void unlink_entry(struct denial_log *log, struct list *list, int kind, uint32_t number) {
    struct links links = log->entries[number].links[kind];
    if (links.newer != NONE)
        log->entries[links.newer].links[kind].older = links.older;
    else
        list->newest = links.older;
    if (links.older != NONE)
        log->entries[links.older].links[kind].newer = links.newer;
    else
        list->oldest = links.newer;
}

static struct list *get_company_list(struct denial_log *log, uint32_t number) {
    return &log->companies[log->entries[number].company].entries;
}

static void move_to_front(struct denial_log *log, uint32_t number) {
    struct list *of_company = get_company_list(log, number);
    unlink_entry(log, of_company, OF_COMPANY, number);
    link_newest(log, of_company, OF_COMPANY, number);
    unlink_entry(log, &log->all, OF_ALL, number);
    link_newest(log, &log->all, OF_ALL, number);
}

// ---- companies ----

static uint32_t find_company(const struct denial_log *log, const struct uuid *company_id) {
    uint32_t number = *get_company_chain(log, company_id);
    while (number != NONE && !uuid_is_equal(log->companies[number].company_id, *company_id))
        number = log->companies[number].next;
    return number;
}

static uint32_t touch_company(struct denial_log *log, const struct uuid *company_id) {
    uint32_t number = find_company(log, company_id);
    if (number != NONE)
        return number;
    uint32_t *chain = get_company_chain(log, company_id);
    number = log->free_company;
    log->free_company = log->companies[number].next;
    log->companies[number] =
        (struct company){.company_id = *company_id, .next = *chain, .entries = {NONE, NONE}};
    *chain = number;
    return number;
}

static void release_company(struct denial_log *log, uint32_t number) {
    struct company *company = &log->companies[number];
    uint32_t *at = get_company_chain(log, &company->company_id);
    while (*at != number)
        at = &log->companies[*at].next;
    *at = company->next;
    company->next = log->free_company;
    log->free_company = number;
}

// ---- entries ----

static uint32_t find_entry(const struct denial_log *log, const struct denial_key *key, uint64_t hash) {
    size_t size = get_key_size(key);
    uint32_t number = log->entry_chains[hash & log->mask];
    while (number != NONE &&
           (log->entries[number].hash != hash || memcmp(&log->entries[number].denial.key, key, size) != 0))
        number = log->entries[number].next;
    return number;
}

static void remove_entry(struct denial_log *log, uint32_t number) {
    struct entry *entry = &log->entries[number];
    uint32_t *at = &log->entry_chains[entry->hash & log->mask];
    while (*at != number)
        at = &log->entries[*at].next;
    *at = entry->next;
    unlink_entry(log, get_company_list(log, number), OF_COMPANY, number);
    unlink_entry(log, &log->all, OF_ALL, number);
    if (--log->companies[entry->company].count == 0)
        release_company(log, entry->company);
    entry->next = log->free_entry;
    log->free_entry = number;
}

static void make_room(struct denial_log *log, const struct uuid *company_id) {
    uint32_t company = find_company(log, company_id);
    if (company != NONE && log->companies[company].count >= log->company_max)
        remove_entry(log, log->companies[company].entries.oldest);
    else if (log->free_entry == NONE)
        remove_entry(log, log->all.oldest);
}

static void add_entry(struct denial_log *log, const struct denial_key *key, uint64_t hash, int64_t now_ms) {
    make_room(log, &key->company_id);
    uint32_t number = log->free_entry, *chain = &log->entry_chains[hash & log->mask];
    struct entry *entry = &log->entries[number];
    log->free_entry = entry->next;
    *entry = (struct entry){.denial = {*key, now_ms, now_ms, 1},
                            .hash = hash,
                            .next = *chain,
                            .company = touch_company(log, &key->company_id)};
    *chain = number;
    log->companies[entry->company].count++;
    link_newest(log, get_company_list(log, number), OF_COMPANY, number);
    link_newest(log, &log->all, OF_ALL, number);
}

// The database's time is estimated anew with each renewal: it may be a millisecond earlier than it was.
static int64_t get_later(const struct denial_log *log, int64_t now_ms) {
    int64_t newest_ms = log->all.newest == NONE ? now_ms : log->entries[log->all.newest].denial.last_at_ms;
    return newest_ms > now_ms ? newest_ms : now_ms;
}

static void note(struct denial_log *log, const struct denial_key *key, int64_t now_ms) {
    now_ms = get_later(log, now_ms);
    uint64_t hash = hash_bytes(log, key, get_key_size(key));
    uint32_t number = find_entry(log, key, hash);
    if (number == NONE) {
        add_entry(log, key, hash, now_ms);
        return;
    }
    log->entries[number].denial.last_at_ms = now_ms;
    log->entries[number].denial.count++;
    move_to_front(log, number);
}

// ---- public ----

static size_t round_up(size_t wanted) {
    size_t size = 16;
    while (size < wanted)
        size *= 2;
    return size;
}

static void clear(struct denial_log *log) {
    log->all = (struct list){NONE, NONE};
    for (size_t i = 0; i <= log->mask; i++)
        log->entry_chains[i] = log->company_chains[i] = NONE;
    for (uint32_t i = 0; i < log->max; i++)
        log->entries[i].next = log->companies[i].next = i + 1 < log->max ? i + 1 : NONE;
    log->free_entry = log->free_company = 0;
}

enum status denial_log_new(size_t max, size_t company_max, struct denial_log **ret_log) {
    struct denial_log *log = calloc(1, sizeof(*log));
    size_t chains = round_up(max);
    if (!log)
        return STATUS_NO_MEMORY;
    pthread_mutex_init(&log->lock, NULL);
    log->max = max;
    log->company_max = company_max;
    log->mask = chains - 1;
    log->keys[0] = random_get_u64();
    log->keys[1] = random_get_u64() | 1;
    log->entries = calloc(max, sizeof(*log->entries));
    log->companies = calloc(max, sizeof(*log->companies));
    log->entry_chains = calloc(chains, sizeof(*log->entry_chains));
    log->company_chains = calloc(chains, sizeof(*log->company_chains));
    if (!log->entries || !log->companies || !log->entry_chains || !log->company_chains) {
        denial_log_free(log);
        return STATUS_NO_MEMORY;
    }
    clear(log);
    *ret_log = log;
    return STATUS_OK;
}

void denial_log_free(struct denial_log *log) {
    if (!log)
        return;
    pthread_mutex_destroy(&log->lock);
    free(log->entries);
    free(log->companies);
    free(log->entry_chains);
    free(log->company_chains);
    free(log);
}

void denial_key_set_domain(struct denial_key *key, struct bytes domain) {
    size_t len = domain.len;
    if (len > DENIAL_DOMAIN_MAX) {
        len = DENIAL_DOMAIN_MAX;
        while (len > 0 && (domain.data[len] & 0xc0) == 0x80)
            len--;
    }
    if (len > 0)
        memcpy(key->domain, domain.data, len);
    memset(key->domain + len, 0, DENIAL_DOMAIN_MAX - len);
    key->domain_len = (uint8_t)len;
}

bool denial_log_note(struct denial_log *log, const struct denial_key *key, int64_t now_ms) {
    if (pthread_mutex_trylock(&log->lock) != 0)
        return false;
    note(log, key, now_ms);
    pthread_mutex_unlock(&log->lock);
    return true;
}

size_t denial_log_copy(struct denial_log *log, struct uuid company_id, struct denial *ret_denials,
                       size_t max) {
    size_t count = 0;
    pthread_mutex_lock(&log->lock);
    uint32_t company = find_company(log, &company_id);
    uint32_t number = company == NONE ? NONE : log->companies[company].entries.newest;
    for (; number != NONE && count < max; number = log->entries[number].links[OF_COMPANY].older)
        ret_denials[count++] = log->entries[number].denial;
    pthread_mutex_unlock(&log->lock);
    return count;
}

size_t denial_log_get_company_max(const struct denial_log *log) {
    return log->company_max;
}

// ---- for tests ----

static size_t count_list(const struct denial_log *log, const struct list *list, int kind) {
    size_t count = 0;
    int64_t last_ms = INT64_MAX;
    uint32_t newer = NONE;
    for (uint32_t at = list->newest; at != NONE; at = log->entries[at].links[kind].older) {
        const struct entry *entry = &log->entries[at];
        if (entry->links[kind].newer != newer || entry->denial.last_at_ms > last_ms || ++count > log->max)
            return SIZE_MAX;
        last_ms = entry->denial.last_at_ms;
        newer = at;
    }
    return list->oldest == newer ? count : SIZE_MAX;
}

const char *denial_log_check(const struct denial_log *log) {
    size_t all = count_list(log, &log->all, OF_ALL), of_companies = 0, chained = 0;
    if (all == SIZE_MAX)
        return "the list of all is broken, or not in its order";
    for (size_t i = 0; i <= log->mask; i++) {
        for (uint32_t at = log->company_chains[i]; at != NONE; at = log->companies[at].next) {
            const struct company *company = &log->companies[at];
            size_t count = count_list(log, &company->entries, OF_COMPANY);
            if (count != company->count || count == 0 || count > log->company_max)
                return "a company's list is broken, empty or too long";
            of_companies += count;
        }
        for (uint32_t at = log->entry_chains[i]; at != NONE; at = log->entries[at].next)
            chained++;
    }
    return of_companies == all && chained == all ? NULL : "an entry is not on all of its lists";
}
