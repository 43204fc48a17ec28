// Tables and lists of properties for people: columns as wide as their widest cell, cut to the terminal.
#ifndef LATCHKEY_SERVICES_CLI_TABLE_H
#define LATCHKEY_SERVICES_CLI_TABLE_H

#include <stddef.h>
#include <stdio.h>

#include "common/base/arena.h"

#define TABLE_COLUMNS_MAX 8
#define TABLE_UNCUT 0

struct table_row;

// Lives in its arena. Cells are borrowed.
struct table {
    struct arena *arena;
    const char *const *headings; // NULL = none
    size_t column_count;
    struct table_row *first, **end;
};

void table_init(struct table *table, struct arena *arena, const char *const *headings, size_t column_count);

// `column_count` texts, NULL being an empty one; control characters are replaced. Running out of memory ends
// the program.
void table_add(struct table *table, const char *const *cells);

// Columns are two spaces apart. On a terminal of `width` columns (TABLE_UNCUT = none) the widest columns but
// the first are cut until a row fits.
void table_print(const struct table *table, size_t width, FILE *to);

// A list of properties: a name and a value in each row, empty values left out.
void table_add_property(struct table *table, const char *name, const char *value);

#endif
