// Optimal string alignment distance (Damerau-Levenshtein without editing a swapped pair again), three rows at
// a time.
#include "common/base/text.h"

#include <stdint.h>

enum { WORD_MAX = 64 };

static size_t get_smallest(size_t a, size_t b, size_t c) {
    size_t smaller = a < b ? a : b;
    return smaller < c ? smaller : c;
}

// Both at most WORD_MAX bytes. Row i holds the distances from a's first i bytes to each prefix of b.
static size_t get_distance(struct bytes a, struct bytes b) {
    size_t rows[3][WORD_MAX + 1];
    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t replaced = above[j - 1] + (a.data[i - 1] != b.data[j - 1]);
            row[j] = get_smallest(above[j] + 1, row[j - 1] + 1, replaced);
            bool is_swap = i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] && a.data[i - 2] == b.data[j - 1];
            if (is_swap && two_above[j - 2] + 1 < row[j])
                row[j] = two_above[j - 2] + 1;
        }
    }
    return rows[a.len % 3][b.len];
}

const char *text_find_nearest(struct bytes word, const char *const *known, size_t count) {
    if (word.len == 0 || word.len > WORD_MAX)
        return NULL;
    const char *nearest = NULL;
    size_t farthest_allowed = word.len < 3 ? 1 : word.len / 3;
    size_t smallest = farthest_allowed + 1;
    for (size_t i = 0; i < count; i++) {
        struct bytes candidate = bytes_of_text(known[i]);
        if (candidate.len > WORD_MAX)
            continue;
        size_t distance = get_distance(word, candidate);
        if (distance < smallest) {
            smallest = distance;
            nearest = known[i];
        }
    }
    return nearest;
}
