// A number of columns and any bytes as PostgreSQL's binary COPY, whole, one byte at a time and in pieces of
// seven: the same rows, and the same end.
#include <assert.h>

#include "common/db/copy_parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    struct buffer rows; // each field with its length in front
    enum copy_parser_event last;
};

static void keep_row(struct outcome *outcome, const struct bytes *fields, size_t columns) {
    for (size_t i = 0; i < columns; i++) {
        buffer_append_format(&outcome->rows, fields[i].data ? "%zu:" : "null:", fields[i].len);
        buffer_append(&outcome->rows, fields[i]);
    }
}

// Until the piece is used up, or for good.
static bool read_piece(struct copy_parser *parser, struct outcome *outcome) {
    struct bytes fields[COPY_PARSER_COLUMNS_MAX];
    while ((outcome->last = copy_parser_next(parser, fields)) == COPY_PARSER_EVENT_ROW)
        keep_row(outcome, fields, parser->columns);
    return outcome->last == COPY_PARSER_EVENT_NEEDS_MORE || outcome->last == COPY_PARSER_EVENT_END;
}

static struct outcome read_in_pieces(struct bytes data, size_t columns, size_t piece_len) {
    struct copy_parser parser;
    struct outcome outcome = {0};
    copy_parser_init(&parser, columns);
    bool goes_on = read_piece(&parser, &outcome);
    while (data.len > 0 && goes_on) {
        size_t len = data.len < piece_len ? data.len : piece_len;
        copy_parser_feed(&parser, bytes_of(data.data, len));
        goes_on = read_piece(&parser, &outcome);
        data = bytes_of(data.data + len, data.len - len);
    }
    copy_parser_fini(&parser);
    return outcome;
}

static void compare(const struct outcome *a, const struct outcome *b) {
    assert(a->last == b->last);
    assert(bytes_is_equal(buffer_get_bytes(&a->rows), buffer_get_bytes(&b->rows)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    size_t columns = 1 + data[0] % COPY_PARSER_COLUMNS_MAX;
    struct bytes rest = bytes_of(data + 1, size - 1);
    struct outcome whole = read_in_pieces(rest, columns, size);
    struct outcome sevens = read_in_pieces(rest, columns, 7);
    struct outcome single = read_in_pieces(rest, columns, 1);
    compare(&whole, &single);
    compare(&whole, &sevens);
    buffer_fini(&whole.rows);
    buffer_fini(&sevens.rows);
    buffer_fini(&single.rows);
    return 0;
}
