// What a typed range stands for: the bits that do not count are dropped, which whoever typed them may not
// expect.
#ifndef LATCHKEY_SERVICES_CLI_RANGE_TEXT_H
#define LATCHKEY_SERVICES_CLI_RANGE_TEXT_H

#include <stdint.h>

#include "services/cli/cli.h"

// Prints "2001:db8::1/32 stands for 2001:db8::/32" where bits were dropped, nothing otherwise. `bits` were
// typed beside it; IP_PREFIX_BITS_UNSET if they were not.
void range_text_print_meaning(struct cli *cli, const char *typed, uint32_t bits);

#endif
