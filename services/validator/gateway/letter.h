// Letters as servers may take them for each other that mind no case, each with an idea of its own of what
// case is. No table of Unicode: a letter that might have case is taken for any other that might.
#ifndef LATCHKEY_SERVICES_VALIDATOR_GATEWAY_LETTER_H
#define LATCHKEY_SERVICES_VALIDATOR_GATEWAY_LETTER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/bytes.h"

// The code point that well-formed UTF-8 begins with, cut off; 0 where nothing is left.
uint32_t letter_take(struct bytes *rest);

bool letter_may_be(uint32_t a, uint32_t b);

#endif
