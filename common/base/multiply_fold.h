// The mixing step of hashes that are keyed with random bits of this process, because customers choose what is
// hashed: all of a 128-bit product, folded to 64 bits. And the hash of bytes made of it.
#ifndef LATCHKEY_COMMON_BASE_MULTIPLY_FOLD_H
#define LATCHKEY_COMMON_BASE_MULTIPLY_FOLD_H

#include <stdint.h>
#include <string.h>

#include "common/base/bytes.h"

static inline uint64_t multiply_fold(uint64_t a, uint64_t b) {
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

// Eight bytes at a time, the last ones filled up with zeros: the length takes part.
static inline uint64_t multiply_fold_bytes(struct bytes bytes, const uint64_t keys[2]) {
    uint64_t hash = keys[0] ^ bytes.len, word;
    size_t i = 0;
    for (; i + sizeof(word) <= bytes.len; i += sizeof(word)) {
        memcpy(&word, bytes.data + i, sizeof(word));
        hash = multiply_fold(hash ^ word, keys[1]);
    }
    if (i == bytes.len)
        return hash;
    word = 0;
    memcpy(&word, bytes.data + i, bytes.len - i);
    return multiply_fold(hash ^ word, keys[1]);
}

#endif
