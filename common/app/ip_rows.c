#include "common/app/ip_rows.h"

#include "common/base/clock.h"
#include "common/db/array.h"

bool ip_rows_read(const struct db_result *rows, int row, int column, struct arena *arena,
                  struct ip_prefix **ret_prefixes, size_t *ret_count) {
    struct db_array array = db_result_get_array(rows, row, column, DB_TYPE_CIDR);
    struct ip_prefix *prefixes = ARENA_NEW_ARRAY(arena, struct ip_prefix, array.count);
    size_t count = 0;
    while (prefixes && db_array_next_prefix(&array, &prefixes[count]))
        count++;
    *ret_prefixes = prefixes;
    *ret_count = count;
    return prefixes != NULL;
}

bool ip_rows_make_set(const struct ip_prefix *prefixes, const int64_t *ends_ms, size_t count,
                      struct arena *arena, const struct ip_set **ret_set) {
    struct ip_set_entry *entries = ARENA_NEW_ARRAY(arena, struct ip_set_entry, count);
    for (size_t i = 0; entries && i < count; i++)
        entries[i] =
            (struct ip_set_entry){.prefix = prefixes[i], .ends_at_ms = ends_ms ? ends_ms[i] : CLOCK_NEVER_MS};
    *ret_set = entries ? ip_set_new_in_arena(arena, entries, count) : NULL;
    return *ret_set != NULL;
}

bool ip_rows_read_list(const struct db_result *rows, int row, int column, struct arena *arena,
                       const struct ip_set **ret_set) {
    struct ip_prefix *prefixes;
    size_t count;
    *ret_set = NULL;
    if (!ip_rows_read(rows, row, column, arena, &prefixes, &count))
        return false;
    return count == 0 || ip_rows_make_set(prefixes, NULL, count, arena, ret_set);
}

bool ip_rows_read_matched(const struct db_result *rows, int row, int column, struct arena *arena,
                          const struct ip_set **ret_set) {
    struct ip_prefix *prefixes;
    size_t count, i = 0;
    if (!ip_rows_read(rows, row, column, arena, &prefixes, &count))
        return false;
    struct db_array ends = db_result_get_array(rows, row, column + 1, DB_TYPE_TIMESTAMPTZ);
    int64_t *ends_ms = ARENA_NEW_ARRAY(arena, int64_t, count);
    while (ends_ms && i < count && db_array_next_time_ms(&ends, CLOCK_NEVER_MS, &ends_ms[i]))
        i++;
    return ends_ms && i == count && ip_rows_make_set(prefixes, ends_ms, count, arena, ret_set);
}
