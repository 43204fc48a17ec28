// Any bytes as a file of records, whole and in pieces: the same records come out, each on a line that is not
// before the last one's, and reading ends.
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/cli/whitelist_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print(const struct record *record, struct arena *arena, FILE *to) {
    struct whitelist_record entry;
    const char *error = whitelist_record_read(record, false, arena, &entry);
    fprintf(to, "%zu:%s\n", record->line, error ? error : entry.address);
}

static char *read_in_steps(const uint8_t *data, size_t size, size_t step) {
    struct records records;
    struct record record;
    struct arena arena;
    char *said = NULL;
    size_t len, known = step < size ? step : size, at = 0, line = 1;
    FILE *to = open_memstream(&said, &len);
    arena_init(&arena, 0);
    records_init(&records, whitelist_record_columns, WHITELIST_COLUMN_COUNT, WHITELIST_COLUMN_NOTE);
    for (;;) {
        struct bytes rest = bytes_of(data + at, known - at);
        enum records_result result = records_next(&records, &rest, known == size, &arena, &record);
        assert(rest.len <= known - at);
        at = known - rest.len;
        if (result == RECORDS_END)
            break;
        if (result == RECORDS_MORE) {
            assert(known < size);
            known = known + step < size ? known + step : size;
            continue;
        }
        assert(record.line >= line);
        line = record.line;
        print(&record, &arena, to);
    }
    arena_fini(&arena);
    fclose(to);
    return said;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > 4096)
        return 0;
    char *whole = read_in_steps(data, size, size + 1), *piecewise = read_in_steps(data, size, 1);
    assert(strcmp(whole, piecewise) == 0);
    free(whole);
    free(piecewise);
    return 0;
}
