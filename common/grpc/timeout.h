// grpc-timeout: one to eight digits and a unit, H M S m u n; and Connect's, which has but one unit.
#ifndef LATCHKEY_COMMON_GRPC_TIMEOUT_H
#define LATCHKEY_COMMON_GRPC_TIMEOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"

#define TIMEOUT_TEXT_MAX 9

// False, and *ret_ns untouched, for anything else. The largest, 99999999H, is held at INT64_MAX ns.
MUST_CHECK bool timeout_parse(struct bytes text, uint64_t *ret_ns);

// The same for connect-timeout-ms: one to ten digits, milliseconds.
MUST_CHECK bool timeout_parse_ms(struct bytes text, uint64_t *ret_ns);

// Rounded up to what eight digits hold, so that a deadline never leaves early. Returns the length.
size_t timeout_format(uint64_t timeout_ns, char ret_text[TIMEOUT_TEXT_MAX + 1]);

#endif
