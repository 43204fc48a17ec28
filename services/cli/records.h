// Records out of the files that people have, a piece at a time and without I/O:
//
//   lines   one value on each line, "#" beginning a comment; what stands behind one on the same line is the
//           record's comment
//   CSV     a header that names the columns, then a record on each line; separated by commas, semicolons or
//           tabs, fields in double quotes where they need them (RFC 4180)
//   JSON    a list of objects or of texts, or an object on each line
//
// Which of them it is shows in the first line that is neither empty nor a comment.
#ifndef LATCHKEY_SERVICES_CLI_RECORDS_H
#define LATCHKEY_SERVICES_CLI_RECORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"

#define RECORD_COLUMNS_MAX 16
#define RECORD_FIELDS_MAX 64 // of a line of CSV, those of unknown columns included

// What a record may hold. Names are compared in any case, with "_", "-" and " " alike.
struct record_column {
    const char *names[8]; // as in CSV and JSON; NULL-terminated
};

struct record {
    size_t line;                           // on which it begins, from 1
    const char *texts[RECORD_COLUMNS_MAX]; // by column; NULL = not there; lists with spaces between
    const char *error;                     // what is wrong with it and what to type instead; NULL = nothing
};

enum records_format { RECORDS_UNKNOWN, RECORDS_LINES, RECORDS_CSV, RECORDS_JSON };

struct records {
    const struct record_column *columns;
    size_t column_count;
    size_t comment_column; // where the comment of a line goes; column_count = nowhere
    enum records_format format;
    size_t line;
    bool has_begun;                    // a byte order mark can't come any more
    uint8_t separator;                 // of CSV
    size_t field_count;                // of the header
    size_t fields[RECORD_FIELDS_MAX];  // the column of each field; column_count = an unknown one
    bool is_list, has_item, has_ended; // of JSON
    size_t unknown_count;              // of CSV's header
    char unknown_name[40];             // the first of them
};

enum records_result {
    RECORDS_RECORD, // one, good or with an error
    RECORDS_MORE,   // the rest is the beginning of one: come again with more bytes behind it
    RECORDS_END,
};

// Column 0 is what a line, or a text in a JSON list, is. Borrows `columns`.
void records_init(struct records *records, const struct record_column *columns, size_t column_count,
                  size_t comment_column);

// Takes the next record from the front of `*rest`; `is_last` = nothing comes behind it. Texts are in `arena`.
// After RECORDS_MORE `*rest` is what has to stand in front of the new bytes.
MUST_CHECK enum records_result records_next(struct records *records, struct bytes *rest, bool is_last,
                                            struct arena *arena, struct record *ret_record);

// Names the fields of a fault about a call by the lines of the file: "entries[3].note" as "line 17, note".
// `lines` says where each element stands.
void record_name_lines(struct fault *fault, const size_t *lines, size_t count);

#endif
