#include "common/base/roff.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"

enum { WIDTH = 78 };

// What a byte is written as; NULL: as itself.
static const char *get_escape(uint8_t byte) {
    switch (byte) {
    case '\\': return "\\e";
    case '-': return "\\-";
    case '`': return "\\(ga";
    case '\'': return "\\(aq";
    case '^': return "\\(ha";
    case '~': return "\\(ti";
    case '"': return "\\(dq";
    default: return NULL;
    }
}

static void print_escaped(FILE *to, struct bytes text) {
    for (size_t i = 0; i < text.len; i++) {
        const char *escape = get_escape(text.data[i]);
        if (escape)
            fputs(escape, to);
        else
            fputc(text.data[i], to);
    }
}

static size_t measure(struct bytes text) {
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char *escape = get_escape(text.data[i]);
        len += escape ? strlen(escape) : 1;
    }
    return len;
}

// Cuts the next word off.
static struct bytes take_word(struct bytes *rest) {
    struct bytes word = {0};
    while (word.len == 0 && rest->data)
        word = bytes_split(rest, ' ');
    return word;
}

static bool ends_sentence(struct bytes word) {
    static const char *const shortened[] = {"e.g.", "i.e.", "..."};
    for (size_t i = 0; i < ARRAY_LENGTH(shortened); i++)
        if (bytes_is_text(word, shortened[i]))
            return false;
    uint8_t last = word.data[word.len - 1];
    return last == '.' || last == '?' || last == '!';
}

// `column` is the line's length so far, and after.
static size_t print_line_word(FILE *to, struct bytes word, size_t column) {
    size_t len = measure(word);
    if (column > 0 && column + 1 + len > WIDTH) {
        fputc('\n', to);
        column = 0;
    }
    if (column > 0)
        fputc(' ', to);
    else if (word.data[0] == '.')
        fputs("\\&", to);
    print_escaped(to, word);
    if (!ends_sentence(word))
        return column + 1 + len;
    fputc('\n', to);
    return 0;
}

static void print_text(FILE *to, struct bytes text) {
    size_t column = 0;
    for (struct bytes word; (word = take_word(&text)).len > 0;)
        column = print_line_word(to, word, column);
    if (column > 0)
        fputc('\n', to);
}

void roff_print_text(FILE *to, const char *text) {
    print_text(to, bytes_of_text(text));
}

void roff_print_words(FILE *to, const char *text) {
    struct bytes rest = bytes_of_text(text);
    for (struct bytes word; (word = take_word(&rest)).len > 0;) {
        fputs(" \\&", to); // so that it is no macro
        print_escaped(to, word);
    }
}

enum block { NOTHING, PARAGRAPH, LITERAL };

static bool is_literal(struct bytes line) {
    return bytes_has_prefix(line, BYTES_LITERAL("  "));
}

static enum block print_help_line(FILE *to, struct bytes line, enum block block) {
    if (is_literal(line)) {
        if (block != LITERAL)
            fputs(".Bd -literal -offset indent\n", to);
        print_escaped(to, bytes_trim(line));
        fputc('\n', to);
        return LITERAL;
    }
    if (block == LITERAL)
        fputs(".Ed\n", to);
    if (line.len == 0)
        return NOTHING;
    if (block != PARAGRAPH)
        fputs(".Pp\n", to);
    print_text(to, line);
    return PARAGRAPH;
}

void roff_print_help(FILE *to, const char *text) {
    enum block block = NOTHING;
    for (struct bytes rest = bytes_of_text(text); rest.data;)
        block = print_help_line(to, bytes_split(&rest, '\n'), block);
    if (block == LITERAL)
        fputs(".Ed\n", to);
}
