// One block of memory handed out piece by piece, laid out by the same code twice: the first time there is no
// block, and the carver only adds up what is needed. Inside common/ip only.
#ifndef LATCHKEY_COMMON_IP_CARVER_H
#define LATCHKEY_COMMON_IP_CARVER_H

#include <stddef.h>
#include <stdint.h>

struct carver {
    uint8_t *block; // NULL = only count; aligned for anything
    size_t used_bytes;
};

static inline void *carver_take(struct carver *carver, size_t count, size_t element_size) {
    carver->used_bytes += (element_size - carver->used_bytes % element_size) % element_size;
    void *piece = carver->block ? carver->block + carver->used_bytes : NULL;
    carver->used_bytes += count * element_size;
    return piece;
}

#define CARVE(carver, array, count) ((array) = carver_take((carver), (count), sizeof(*(array))))

#endif
