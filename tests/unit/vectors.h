// Files of tests/vectors: lines of `expected TAB input`, # before a comment, \xNN for a byte.
#ifndef LATCHKEY_TESTS_UNIT_VECTORS_H
#define LATCHKEY_TESTS_UNIT_VECTORS_H

#include <stddef.h>

#include "common/base/bytes.h"

// Calls `check` for every line of the file, which is named from the root of the tree, where tests run.
// Returns how many there were; fails the test when there is no such file.
size_t vectors_read(const char *path, void (*check)(const char *expected, struct bytes input));

#endif
