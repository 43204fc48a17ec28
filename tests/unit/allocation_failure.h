// Makes the k-th allocation of the calling thread fail, for every k. Every unit test is linked with --wrap
// for malloc, calloc and realloc, so that the product holds no hook; what shared libraries allocate inside is
// not seen.
#ifndef LATCHKEY_TESTS_UNIT_ALLOCATION_FAILURE_H
#define LATCHKEY_TESTS_UNIT_ALLOCATION_FAILURE_H

#include <stdbool.h>
#include <stddef.h>

// From here to allocation_failure_end() the allocations of this thread are counted, and number `k` returns
// NULL (0 = none does).
void allocation_failure_begin(size_t k);

// The same, and so do all after it.
void allocation_failure_begin_from(size_t k);

// Returns how many allocations were tried. Call it before the first assertion.
size_t allocation_failure_end(void);

// Between them nothing is counted and nothing fails: what the test does itself, in the midst of the work.
void allocation_failure_suspend(void);
void allocation_failure_resume(void);

// Runs `scenario` with its first allocation failing, then its second, and so on until it comes through
// undisturbed. A scenario sets up, works and cleans up; it returns whether the work succeeded, which must be
// so exactly when no allocation failed. Returns how many allocations it makes, which is never 0.
size_t allocation_failure_try_each(bool (*scenario)(void *context), void *context);

#endif
