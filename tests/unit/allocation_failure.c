// The linker sends malloc and its kin of our objects to __wrap_*, and gives the C library's as
// __real_*.
#include "tests/unit/allocation_failure.h"

#include <errno.h>

#include "tests/unit/unit.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

static _Thread_local struct {
    bool is_counting, is_suspended;
    size_t count, first, last; // to fail
} plan;

static bool is_to_fail(void) {
    if (!plan.is_counting || plan.is_suspended || ++plan.count < plan.first || plan.count > plan.last)
        return false;
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t size) {
    return is_to_fail() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
    return is_to_fail() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size) {
    return is_to_fail() ? NULL : __real_realloc(memory, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size) {
    return is_to_fail() ? NULL : __real_aligned_alloc(alignment, size);
}

static void begin(size_t first, size_t last) {
    plan.is_counting = true;
    plan.count = 0;
    plan.first = first;
    plan.last = last;
}

void allocation_failure_begin(size_t k) {
    begin(k, k);
}

void allocation_failure_begin_from(size_t k) {
    begin(k, SIZE_MAX);
}

size_t allocation_failure_end(void) {
    plan.is_counting = false;
    return plan.count;
}

void allocation_failure_suspend(void) {
    plan.is_suspended = true;
}

void allocation_failure_resume(void) {
    plan.is_suspended = false;
}

size_t allocation_failure_try_each(bool (*scenario)(void *context), void *context) {
    for (size_t k = 1;; k++) {
        allocation_failure_begin(k);
        bool succeeded = scenario(context);
        size_t count = allocation_failure_end();
        if (count < k) {
            assert_true(succeeded);
            assert_true(count > 0);
            return count;
        }
        if (succeeded)
            fail_msg("allocation %zu failed and was not noticed", k);
    }
}
