// Text of a manual page as mdoc(7) wants it: escaped, a sentence a line, lines no longer than 80 bytes where
// words allow it. Macros are the caller's.
#ifndef LATCHKEY_COMMON_BASE_ROFF_H
#define LATCHKEY_COMMON_BASE_ROFF_H

#include <stdio.h>

// Lines of running text; what stands in them is never a macro.
void roff_print_text(FILE *to, const char *text);

// A word, or several, within a line, where macros may stand before and after: each one as an argument of its
// own.
void roff_print_words(FILE *to, const char *text);

// Help of several paragraphs, parted by empty lines; lines that begin with two spaces are shown as they are.
void roff_print_help(FILE *to, const char *text);

#endif
