#include "common/crypto/cpu.h"

static bool has_sha256, has_carryless_multiply; // since before main()

#if defined(__x86_64__)

#include <cpuid.h>

enum { FEATURES = 1, PCLMUL = 1 << 1, SSSE3 = 1 << 9, SSE4_1 = 1 << 19 };
enum { MORE_FEATURES = 7, SHA = 1 << 29 };

__attribute__((constructor)) static void look(void) {
    unsigned a, b, c = 0, more = 0, d;
    if (!__get_cpuid(FEATURES, &a, &b, &c, &d) || !(c & SSSE3) || !(c & SSE4_1))
        return;
    has_carryless_multiply = c & PCLMUL;
    has_sha256 = __get_cpuid_count(MORE_FEATURES, 0, &a, &more, &c, &d) && (more & SHA);
}

#endif

bool cpu_has_sha256(void) {
    return has_sha256;
}

bool cpu_has_carryless_multiply(void) {
    return has_carryless_multiply;
}
