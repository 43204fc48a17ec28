#include "services/token/token_room.h"

#include <pthread.h>

enum {
    SLOTS = 4096, // companies; of two in one slot the later has it
    PART = 10,
    GOOD_FOR_MS = 10 * 60 * 1000,
};

struct slot {
    struct uuid company_id;
    int64_t places;
    int64_t until_ms;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; // of the slots
static struct slot slots[SLOTS];

// The low bits of an id are random.
static struct slot *get_slot(struct uuid company_id) {
    return &slots[((size_t)company_id.bytes[14] << 8 | company_id.bytes[15]) % SLOTS];
}

bool token_room_take(struct uuid company_id, int64_t now_ms) {
    pthread_mutex_lock(&lock);
    struct slot *slot = get_slot(company_id);
    bool is_known =
        uuid_is_equal(slot->company_id, company_id) && slot->until_ms > now_ms && slot->places > 0;
    if (is_known)
        slot->places--;
    pthread_mutex_unlock(&lock);
    return is_known;
}

void token_room_note(struct uuid company_id, int64_t room, int64_t now_ms) {
    pthread_mutex_lock(&lock);
    *get_slot(company_id) = (struct slot){company_id, room / PART, now_ms + GOOD_FOR_MS};
    pthread_mutex_unlock(&lock);
}
