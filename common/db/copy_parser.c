// A row is 16 bits of field count, then for each field 32 bits of length (-1 = NULL) and its bytes; a count
// of -1 is the trailer. Before them comes an 11-byte signature, 32 bits of flags, and 32 bits of length of an
// extension.
//
// Every attempt looks at one contiguous run of bytes: the saved ones if there are any, else the piece itself.
// If the run ends inside a row, the rest of the piece is saved and the attempt is made again with the next
// piece. To keep that linear, what is saved grows by whole pieces, and once its rows are used up it is
// forgotten.
#include "common/db/copy_parser.h"

#include <assert.h>

#define SIGNATURE BYTES_LITERAL("PGCOPY\n\377\r\n\0")
#define TRAILER UINT16_MAX
#define NULL_LENGTH UINT32_MAX
#define EXTENSION_MAX_BYTES 65536

enum outcome { OUTCOME_DONE, OUTCOME_SHORT, OUTCOME_MALFORMED, OUTCOME_TRAILER };

void copy_parser_init(struct copy_parser *parser, size_t columns) {
    assert(columns >= 1 && columns <= COPY_PARSER_COLUMNS_MAX);
    *parser = (struct copy_parser){.state = COPY_PARSER_HEADER, .columns = columns};
}

void copy_parser_fini(struct copy_parser *parser) {
    buffer_fini(&parser->saved);
}

void copy_parser_feed(struct copy_parser *parser, struct bytes piece) {
    assert(parser->piece.len == 0);
    parser->piece = piece;
}

static enum outcome parse_header(struct cursor *cursor) {
    struct bytes signature = SIGNATURE;
    size_t seen = cursor->rest.len < signature.len ? cursor->rest.len : signature.len;
    if (seen > 0 && memcmp(cursor->rest.data, signature.data, seen) != 0)
        return OUTCOME_MALFORMED;
    cursor_read_bytes(cursor, signature.len);
    // No flag is defined that we could honour: bit 16 (row identifiers) left with PostgreSQL 12.
    uint32_t flags = cursor_read_u32(cursor);
    uint32_t extension_len = cursor_read_u32(cursor);
    if (flags != 0 || extension_len > EXTENSION_MAX_BYTES)
        return OUTCOME_MALFORMED;
    cursor_read_bytes(cursor, extension_len);
    return cursor->failed ? OUTCOME_SHORT : OUTCOME_DONE;
}

static enum outcome parse_row(struct cursor *cursor, size_t columns, struct bytes *ret_fields) {
    uint16_t count = cursor_read_u16(cursor);
    if (cursor->failed)
        return OUTCOME_SHORT;
    if (count == TRAILER)
        return OUTCOME_TRAILER;
    if (count != columns)
        return OUTCOME_MALFORMED;
    size_t size = 0;
    for (size_t i = 0; i < columns; i++) {
        uint32_t len = cursor_read_u32(cursor);
        ret_fields[i] = BYTES_EMPTY;
        if (len == NULL_LENGTH)
            continue;
        size += len;
        if (size > COPY_PARSER_ROW_MAX_BYTES)
            return OUTCOME_MALFORMED;
        ret_fields[i] = len == 0 ? BYTES_LITERAL("") : cursor_read_bytes(cursor, len);
    }
    return cursor->failed ? OUTCOME_SHORT : OUTCOME_DONE;
}

static bool uses_saved(const struct copy_parser *parser) {
    return parser->saved.len > 0;
}

// Appends the piece to what is saved, so that the next attempt sees both.
static bool save_piece(struct copy_parser *parser) {
    buffer_append(&parser->saved, parser->piece);
    parser->piece = BYTES_EMPTY;
    return !parser->saved.failed;
}

// The bytes of the row handed out last are free now.
static void forget_last_row(struct copy_parser *parser) {
    if (parser->saved_used == 0)
        return;
    buffer_consume(&parser->saved, parser->saved_used);
    parser->saved_used = 0;
}

static struct cursor begin_attempt(const struct copy_parser *parser) {
    return cursor_of(uses_saved(parser) ? buffer_get_bytes(&parser->saved) : parser->piece);
}

static void accept_attempt(struct copy_parser *parser, const struct cursor *cursor) {
    if (uses_saved(parser))
        parser->saved_used = parser->saved.len - cursor->rest.len;
    else
        parser->piece = cursor->rest;
}

static enum copy_parser_event fail(struct copy_parser *parser, enum copy_parser_event event) {
    parser->state = COPY_PARSER_MALFORMED;
    return event;
}

// One attempt at the header, a row or the trailer.
static enum outcome advance(struct copy_parser *parser, struct bytes *ret_fields) {
    struct cursor cursor = begin_attempt(parser);
    enum outcome outcome = parser->state == COPY_PARSER_HEADER
                               ? parse_header(&cursor)
                               : parse_row(&cursor, parser->columns, ret_fields);
    if (outcome == OUTCOME_DONE || outcome == OUTCOME_TRAILER)
        accept_attempt(parser, &cursor);
    return outcome;
}

static bool has_rest(const struct copy_parser *parser) {
    return parser->saved.len > parser->saved_used || parser->piece.len > 0;
}

enum copy_parser_event copy_parser_next(struct copy_parser *parser, struct bytes *ret_fields) {
    if (parser->state == COPY_PARSER_MALFORMED)
        return COPY_PARSER_EVENT_MALFORMED;
    for (;;) {
        forget_last_row(parser);
        if (parser->state == COPY_PARSER_END)
            return has_rest(parser) ? fail(parser, COPY_PARSER_EVENT_MALFORMED) : COPY_PARSER_EVENT_END;
        if (uses_saved(parser) && parser->piece.len > 0 && !save_piece(parser))
            return fail(parser, COPY_PARSER_EVENT_NO_MEMORY);

        switch (advance(parser, ret_fields)) {
        case OUTCOME_MALFORMED: return fail(parser, COPY_PARSER_EVENT_MALFORMED);
        case OUTCOME_TRAILER: parser->state = COPY_PARSER_END; continue;
        case OUTCOME_SHORT:
            if (parser->piece.len > 0 && !save_piece(parser))
                return fail(parser, COPY_PARSER_EVENT_NO_MEMORY);
            return COPY_PARSER_EVENT_NEEDS_MORE;
        case OUTCOME_DONE: break;
        }
        if (parser->state == COPY_PARSER_ROWS)
            return COPY_PARSER_EVENT_ROW;
        parser->state = COPY_PARSER_ROWS;
    }
}
