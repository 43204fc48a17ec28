#include "services/cli/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define C1_LEAD 0xc2 // UTF-8 of U+0080..U+009F, control characters too: 0xc2 and then less than 0xa0
#define C1_LIMIT 0xa0
#define DELETE 0x7f

static bool is_control(const unsigned char *at) {
    return at[0] < ' ' || at[0] == DELETE || (at[0] == C1_LEAD && at[1] >= 0x80 && at[1] < C1_LIMIT);
}

const char *terminal_clean(struct arena *arena, const char *text) {
    const unsigned char *bad = (const unsigned char *)text;
    while (*bad && !is_control(bad))
        bad++;
    if (!*bad)
        return text;
    char *clean = arena_copy_text(arena, text);
    if (!clean)
        return "";
    char *to = clean;
    for (const unsigned char *from = (const unsigned char *)text; *from; from++) {
        bool control = is_control(from);
        if (control && *from == C1_LEAD)
            from++;
        *to++ = control ? '?' : (char)*from;
    }
    *to = '\0';
    return clean;
}

bool terminal_is_one(FILE *stream) {
    return isatty(fileno(stream)) == 1;
}

bool terminal_has_sequences(FILE *stream) {
    const char *kind = getenv("TERM");
    return terminal_is_one(stream) && kind && strcmp(kind, "dumb") != 0;
}

size_t terminal_get_width(FILE *stream) {
    struct winsize size;
    if (!terminal_is_one(stream) || ioctl(fileno(stream), TIOCGWINSZ, &size) != 0)
        return 0;
    return size.ws_col;
}

void terminal_print(FILE *stream, enum terminal_colour colour, const char *text) {
    static const char *const sequences[] = {
        [TERMINAL_GREEN] = "\033[1;32m", [TERMINAL_RED] = "\033[1;31m", [TERMINAL_DIM] = "\033[2m"};
    const char *no_colour = getenv("NO_COLOR");
    if (!terminal_has_sequences(stream) || (no_colour && no_colour[0]))
        fputs(text, stream);
    else
        fprintf(stream, "%s%s\033[0m", sequences[colour], text);
}
