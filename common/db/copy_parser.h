// PostgreSQL's binary COPY format as a pure parser: fed with pieces of any size, it hands out whole rows. A
// piece that holds whole rows is parsed where it lies; only a row that is cut by the end of a piece is
// copied.
//
//   HEADER --signature, flags, extension--> ROWS --trailer (-1)--> END
//     any --> MALFORMED, for good
#ifndef LATCHKEY_COMMON_DB_COPY_PARSER_H
#define LATCHKEY_COMMON_DB_COPY_PARSER_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"

// The largest row that is taken.
#define COPY_PARSER_ROW_MAX_BYTES (64u << 20)
#define COPY_PARSER_COLUMNS_MAX 64

enum copy_parser_state { COPY_PARSER_HEADER, COPY_PARSER_ROWS, COPY_PARSER_END, COPY_PARSER_MALFORMED };

enum copy_parser_event {
    COPY_PARSER_EVENT_NEEDS_MORE, // the piece is used up
    COPY_PARSER_EVENT_ROW,
    COPY_PARSER_EVENT_END,       // the trailer has been seen, and nothing after it
    COPY_PARSER_EVENT_MALFORMED, // also: too large, another number of columns, anything behind the trailer
    COPY_PARSER_EVENT_NO_MEMORY,
};

struct copy_parser {
    enum copy_parser_state state;
    size_t columns;
    struct bytes piece;  // what is left of the fed piece; borrows
    struct buffer saved; // a row (or header) that the end of an earlier piece has cut
    size_t saved_used;   // of `saved`, by the row handed out last
};

// `columns` is 1..COPY_PARSER_COLUMNS_MAX.
void copy_parser_init(struct copy_parser *parser, size_t columns);
void copy_parser_fini(struct copy_parser *parser);

// Only after COPY_PARSER_EVENT_NEEDS_MORE (or at the start). `piece` must live until the next one is fed.
void copy_parser_feed(struct copy_parser *parser, struct bytes piece);

// Fields borrow from the piece or the parser until the next call; data NULL is NULL.
MUST_CHECK enum copy_parser_event copy_parser_next(struct copy_parser *parser, struct bytes *ret_fields);

#endif
