// Any bytes as rows of the change log, behind a byte for the heads: what is taken follows on what came before
// in its lane, and everything that it names is to be read again.
#include <assert.h>
#include <string.h>

#include "common/db/copy_parser.h"
#include "services/validator/follow/change_rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES_MAX = 64 * 1024 * 1024 };

static int64_t seqs[LANE_COUNT]; // the obvious way

static void check_run(const struct change_run *run, int64_t head) {
    int64_t heads[LANE_COUNT];
    bool is_whole = true;
    for (unsigned lane = 0; lane < LANE_COUNT; lane++) {
        heads[lane] = head;
        assert(run->reached[lane] == seqs[lane]);
        is_whole &= seqs[lane] >= head || seqs[lane] >= 1024;
    }
    assert(change_run_is_whole(run, heads) == is_whole);
}

static bool has_all(const struct change_set *set, enum change_scope scope, const struct uuid *ids,
                    size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!change_set_has(set, scope, &ids[i]))
            return false;
    return true;
}

// Of two kinds, which stand for the rest.
static void check_change(const struct change *change) {
    struct change_set set = {0};
    if (change_set_add(&set, change) == STATUS_OK && change_set_finish(&set) == STATUS_OK) {
        if (bytes_is_text(change->kind, "token"))
            assert(change->objects ? has_all(&set, CHANGE_TOKENS, change->objects, change->object_count)
                                   : change_set_has(&set, CHANGE_TOKENS_OF, &change->company_id));
        if (bytes_is_text(change->kind, "whitelist_entry"))
            assert(change_set_has(&set, CHANGE_LISTS_OF, &change->company_id) &&
                   change_set_has(&set, CHANGE_WHITELISTS, &change->company_id) &&
                   (change->prefixes || change_set_has(&set, CHANGE_LISTS, &change->list_id)));
    }
    change_set_fini(&set);
}

static bool take_row(struct arena *arena, const struct bytes *values, struct change_run *run,
                     struct change_set *set) {
    struct row_fields fields = row_fields_of(values, arena);
    struct change_row row;
    if (change_row_parse(&fields, &row) != STATUS_OK)
        return false;
    bool is_next = row.position.seq == seqs[row.position.lane] + 1;
    assert(change_run_add(run, &row.position) == is_next);
    if (!is_next)
        return false;
    seqs[row.position.lane]++;
    check_change(&row.change);
    return change_set_add(set, &row.change) == STATUS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    struct arena arena;
    struct copy_parser parser;
    struct change_set set = {0};
    struct bytes values[CHANGE_ROW_COLUMNS];
    memset(seqs, 0, sizeof(seqs));
    struct change_run run = change_run_from(seqs);
    arena_init(&arena, ARENA_BYTES_MAX);
    copy_parser_init(&parser, CHANGE_ROW_COLUMNS);
    copy_parser_feed(&parser, bytes_of(data + 1, size - 1));
    while (copy_parser_next(&parser, values) == COPY_PARSER_EVENT_ROW && take_row(&arena, values, &run, &set))
        check_run(&run, data[0]);
    (void)!change_set_finish(&set);
    change_set_fini(&set);
    copy_parser_fini(&parser);
    arena_fini(&arena);
    return 0;
}
