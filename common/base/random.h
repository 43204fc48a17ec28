// Randomness from the kernel (getrandom(2)). It either fills the whole buffer or ends the process: a service
// that hands out secrets must not go on without it.
#ifndef LATCHKEY_COMMON_BASE_RANDOM_H
#define LATCHKEY_COMMON_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void random_fill(void *data, size_t len);
uint64_t random_get_u64(void);

#endif
