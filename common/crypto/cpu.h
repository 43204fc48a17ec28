// Instructions for cryptography that this CPU may have: looked for once, before main(). Never on anything but
// x86-64.
#ifndef LATCHKEY_COMMON_CRYPTO_CPU_H
#define LATCHKEY_COMMON_CRYPTO_CPU_H

#include <stdbool.h>

bool cpu_has_sha256(void);             // and SSE 4.1
bool cpu_has_carryless_multiply(void); // and SSE 4.1

#endif
