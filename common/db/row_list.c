#include "common/db/row_list.h"

#include "common/db/array.h"

bool db_row_copy_texts(const struct db_result *rows, int row, int column, struct arena *arena,
                       struct bytes **ret_texts, size_t *ret_count) {
    struct db_array array = db_result_get_array(rows, row, column, DB_TYPE_TEXT);
    struct bytes *texts = ARENA_NEW_ARRAY(arena, struct bytes, array.count), text;
    size_t count = 0;
    if (!texts)
        return false;
    while (db_array_next_text(&array, &text)) {
        const char *copy = arena_copy_bytes(arena, text);
        if (!copy)
            return false;
        texts[count++] = bytes_of(copy, text.len);
    }
    *ret_texts = texts;
    *ret_count = count;
    return true;
}

bool db_row_copy_uuids(const struct db_result *rows, int row, int column, struct arena *arena,
                       struct uuid **ret_ids, size_t *ret_count) {
    struct db_array array = db_result_get_array(rows, row, column, DB_TYPE_UUID);
    struct uuid *ids = ARENA_NEW_ARRAY(arena, struct uuid, array.count);
    size_t count = 0;
    if (!ids)
        return false;
    while (count < array.count && db_array_next_uuid(&array, &ids[count]))
        count++;
    *ret_ids = ids;
    *ret_count = count;
    return true;
}

bool db_row_copy_prefixes(const struct db_result *rows, int row, int column, struct arena *arena,
                          struct prefix_list *ret_list) {
    struct db_array array = db_result_get_array(rows, row, column, DB_TYPE_CIDR);
    struct prefix_list list = {.prefixes = ARENA_NEW_ARRAY(arena, struct ip_prefix, array.count)};
    if (!list.prefixes)
        return false;
    while (list.count < array.count && db_array_next_prefix(&array, &list.prefixes[list.count]))
        list.count++;
    *ret_list = list;
    return true;
}
