#include "services/cli/table.h"

#include <assert.h>
#include <locale.h>
#include <stdbool.h>
#include <string.h>
#include <wchar.h>

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

// The columns of the character that `*text` begins with, which it moves past: 2 for most of Chinese, Japanese
// and Korean, 0 for an accent that stands on the letter before.
static size_t next_width(const char **text) {
    wchar_t character;
    mbstate_t state = {0};
    size_t len = mbrtowc(&character, *text, strlen(*text), &state);
    if (len == 0 || len > strlen(*text)) { // no character, of no known width
        (*text)++;
        return 1;
    }
    *text += len;
    int width = wcwidth(character);
    return width < 0 ? 1 : (size_t)width;
}

static size_t width_of(const char *text) {
    size_t width = 0;
    while (*text)
        width += next_width(&text);
    return width;
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

// As many bytes as fit into `width` columns, of which `*ret_width` are used.
static size_t prefix_bytes(const char *text, size_t width, size_t *ret_width) {
    const char *end = text;
    size_t used = 0;
    while (*end) {
        const char *next = end;
        size_t more = next_width(&next);
        if (used + more > width)
            break;
        used += more;
        end = next;
    }
    *ret_width = used;
    return (size_t)(end - text);
}

static void print_cell(const char *text, size_t width, bool is_last, FILE *to) {
    size_t own = width_of(text);
    if (own > width) {
        int len = (int)prefix_bytes(text, width - 1, &own);
        fprintf(to, "%.*s" CUT_MARK, len, text);
        own++;
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

static void print(const struct table *table, size_t width, FILE *to) {
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

void table_print(const struct table *table, size_t width, FILE *to) {
    // What it prints is UTF-8 whatever the user's locale; widths are those of that.
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
    print(table, width, to);
    if (utf8) {
        uselocale(before);
        freelocale(utf8);
    }
}
