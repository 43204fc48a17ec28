// CRC-32 as in zip, gzip and Ethernet (reflected polynomial 0xEDB88320).
#ifndef LATCHKEY_COMMON_CRYPTO_CRC32_H
#define LATCHKEY_COMMON_CRYPTO_CRC32_H

#include <stdint.h>

#include "common/base/bytes.h"

uint32_t crc32_compute(struct bytes data);

#endif
