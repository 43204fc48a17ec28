// What may go to a terminal, and what the terminal is like.
#ifndef LATCHKEY_SERVICES_CLI_TERMINAL_H
#define LATCHKEY_SERVICES_CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/base/arena.h"

// Text that others wrote (labels, notes, messages), with every control character as "?": it can't move the
// cursor, change the terminal's title or forge a line. Returns `text` itself where there is none.
const char *terminal_clean(struct arena *arena, const char *text);

bool terminal_is_one(FILE *stream);

// Whether it is a terminal that moves its cursor and has colours: TERM is set, and is not "dumb".
bool terminal_has_sequences(FILE *stream);

// Columns; 0 where `stream` is no terminal: nothing is cut then.
size_t terminal_get_width(FILE *stream);

enum terminal_colour { TERMINAL_GREEN, TERMINAL_RED, TERMINAL_DIM };

// Coloured on such a terminal, unless NO_COLOR is set (https://no-color.org); plain elsewhere.
void terminal_print(FILE *stream, enum terminal_colour colour, const char *text);

#endif
