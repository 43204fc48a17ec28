#include "tests/unit/vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

// In place; returns the length.
static size_t unescape(char *text) {
    size_t len = 0;
    for (const char *from = text; *from; len++) {
        if (from[0] == '\\' && from[1] == 'x') {
            const char digits[] = {from[2], from[3], '\0'};
            text[len] = (char)strtoul(digits, NULL, 16);
            from += 4;
        } else {
            text[len] = *from++;
        }
    }
    return len;
}

size_t vectors_read(const char *path, void (*check)(const char *expected, struct bytes input)) {
    char *line = NULL;
    size_t size = 0, count = 0;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (getline(&line, &size, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        char *input = strchr(line, '\t');
        if (line[0] == '#' || !input)
            continue;
        *input++ = '\0';
        size_t len = unescape(input);
        check(line, bytes_of(input, len));
        count++;
    }
    free(line);
    fclose(file);
    return count;
}
