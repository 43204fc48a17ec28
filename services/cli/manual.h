// The manual page of `latchkey` in mdoc(7), written from its tables.
#ifndef LATCHKEY_SERVICES_CLI_MANUAL_H
#define LATCHKEY_SERVICES_CLI_MANUAL_H

#include <stdio.h>

void manual_print_page(FILE *to);

#endif
