#include "services/validator/decide/denial_list.h"

#include <stdlib.h>
#include <string.h>

#include "common/crypto/digest.h"

static uint64_t make_id(const struct denial_key *key) {
    struct digest digest;
    uint64_t id;
    digest_sha256(bytes_of((const uint8_t *)key, sizeof(*key)), &digest);
    memcpy(&id, digest.bytes, sizeof(id));
    return id;
}

static int compare_keys(const void *left, const void *right) {
    const struct denial_row *a = left, *b = right;
    return memcmp(&a->denial.key, &b->denial.key, sizeof(a->denial.key));
}

static int compare_places(const struct denial_place *a, const struct denial_place *b) {
    if (a->last_at_ms != b->last_at_ms)
        return a->last_at_ms > b->last_at_ms ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

static int compare_rows(const void *left, const void *right) {
    const struct denial_row *a = left, *b = right;
    return compare_places(&a->place, &b->place);
}

static void add_up(struct denial *to, const struct denial *from) {
    to->count += from->count;
    if (from->first_at_ms < to->first_at_ms)
        to->first_at_ms = from->first_at_ms;
    if (from->last_at_ms > to->last_at_ms)
        to->last_at_ms = from->last_at_ms;
}

// Of those alike, which stand side by side, one is left.
static void merge(struct denial_list *list) {
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        struct denial_row *row = &list->rows[i];
        if (kept > 0 && compare_keys(&list->rows[kept - 1], row) == 0)
            add_up(&list->rows[kept - 1].denial, &row->denial);
        else
            list->rows[kept++] = *row;
    }
    list->count = kept;
}

static void place(struct denial_list *list) {
    for (size_t i = 0; i < list->count; i++)
        list->rows[i].place =
            (struct denial_place){list->rows[i].denial.last_at_ms, make_id(&list->rows[i].denial.key)};
}

static size_t sum_room(struct denial_log *const *logs, size_t log_count, size_t company_count) {
    size_t room = 0;
    for (size_t i = 0; i < log_count; i++)
        room += denial_log_get_company_max(logs[i]) * company_count;
    return room;
}

enum status denial_list_gather(struct denial_log *const *logs, size_t log_count, const struct uuid *companies,
                               size_t company_count, struct arena *arena, struct denial_list *ret_list) {
    size_t room = sum_room(logs, log_count, company_count), count = 0;
    struct denial *copies = arena_allocate(arena, room * sizeof(*copies));
    if (!copies)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < log_count * company_count; i++)
        count += denial_log_copy(logs[i / company_count], companies[i % company_count], &copies[count],
                                 room - count);
    struct denial_list list = {arena_allocate(arena, count * sizeof(*list.rows)), count};
    if (!list.rows)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        list.rows[i].denial = copies[i];
    qsort(list.rows, list.count, sizeof(*list.rows), compare_keys);
    merge(&list);
    place(&list);
    qsort(list.rows, list.count, sizeof(*list.rows), compare_rows);
    *ret_list = list;
    return STATUS_OK;
}

bool denial_row_is_behind(const struct denial_row *row, const struct denial_place *place) {
    return compare_places(&row->place, place) > 0;
}
