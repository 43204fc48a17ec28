#include "services/cli/table.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/base/bytes.h"
#include "services/cli/cli.h"
#include "services/cli/terminal.h"

#define GAP 2
#define COLUMN_MIN 8            // cut no narrower than this
#define CUT_MARK "\xe2\x80\xa6" // an ellipsis, one column

struct table_row {
    struct table_row *next;
    const char *cells[];
};

void table_init(struct table *table, struct arena *arena, const char *const *headings, size_t column_count) {
    assert(column_count <= TABLE_COLUMNS_MAX);
    *table = (struct table){.arena = arena, .headings = headings, .column_count = column_count};
    table->end = &table->first;
}

void table_add(struct table *table, const char *const *cells) {
    struct table_row *row =
        arena_allocate(table->arena, sizeof(*row) + table->column_count * sizeof(row->cells[0]));
    cli_need(row);
    row->next = NULL;
    for (size_t i = 0; i < table->column_count; i++)
        row->cells[i] = terminal_clean(table->arena, cells[i] ? cells[i] : "");
    *table->end = row;
    table->end = &row->next;
}

void table_add_property(struct table *table, const char *name, const char *value) {
    assert(table->column_count == 2);
    if (value && value[0])
        table_add(table, (const char *const[]){name, value});
}

static size_t width_of(const char *text) {
    return bytes_count_code_points(bytes_of_text(text));
}

static void widen(size_t *widths, const char *const *cells, size_t count) {
    for (size_t i = 0; i < count; i++) {
        size_t width = width_of(cells[i]);
        if (width > widths[i])
            widths[i] = width;
    }
}

// Takes columns from the widest until all fit. The first one, which names the thing, stays whole.
static void fit(size_t *widths, size_t count, size_t width) {
    size_t total = (count - 1) * GAP;
    for (size_t i = 0; i < count; i++)
        total += widths[i];
    while (total > width) {
        size_t widest = 1;
        for (size_t i = 2; i < count; i++)
            if (widths[i] > widths[widest])
                widest = i;
        if (count < 2 || widths[widest] <= COLUMN_MIN)
            return;
        widths[widest]--;
        total--;
    }
}

// The first `count` code points.
static size_t prefix_bytes(const char *text, size_t count) {
    size_t len = 0;
    while (text[len] && (count > 0 || ((uint8_t)text[len] & 0xc0) == 0x80)) {
        if (((uint8_t)text[len] & 0xc0) != 0x80)
            count--;
        len++;
    }
    return len;
}

static void print_cell(const char *text, size_t width, bool is_last, FILE *to) {
    size_t own = width_of(text);
    if (own > width) {
        fprintf(to, "%.*s" CUT_MARK, (int)prefix_bytes(text, width - 1), text);
        own = width;
    } else {
        fputs(text, to);
    }
    if (!is_last)
        fprintf(to, "%*s", (int)(width - own + GAP), "");
}

static void print_row(const char *const *cells, const size_t *widths, size_t count, FILE *to) {
    // No white space at the end of a line.
    size_t used = count;
    while (used > 1 && cells[used - 1][0] == '\0')
        used--;
    for (size_t i = 0; i < used; i++)
        print_cell(cells[i], widths[i], i + 1 == used, to);
    fputc('\n', to);
}

void table_print(const struct table *table, size_t width, FILE *to) {
    size_t widths[TABLE_COLUMNS_MAX] = {0};
    if (table->headings)
        widen(widths, table->headings, table->column_count);
    for (const struct table_row *row = table->first; row; row = row->next)
        widen(widths, row->cells, table->column_count);
    if (width > 0)
        fit(widths, table->column_count, width);
    if (table->headings)
        print_row(table->headings, widths, table->column_count, to);
    for (const struct table_row *row = table->first; row; row = row->next)
        print_row(row->cells, widths, table->column_count, to);
}
