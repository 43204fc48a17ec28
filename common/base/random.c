// getrandom(2) may be interrupted or return short for large requests; nothing else can happen on a kernel
// that has it.
#include "common/base/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

void random_fill(void *data, size_t len) {
    uint8_t *at = data;
    while (len > 0) {
        ssize_t filled = getrandom(at, len, 0);
        if (filled < 0 && errno == EINTR)
            continue;
        if (filled <= 0) {
            perror("getrandom");
            abort();
        }
        at += filled;
        len -= (size_t)filled;
    }
}

uint64_t random_get_u64(void) {
    uint64_t value;
    random_fill(&value, sizeof(value));
    return value;
}
