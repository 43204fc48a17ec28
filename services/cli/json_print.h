// JSON on standard output, for programs.
#ifndef LATCHKEY_SERVICES_CLI_JSON_PRINT_H
#define LATCHKEY_SERVICES_CLI_JSON_PRINT_H

#include <jansson.h>
#include <stdio.h>

#include "common/base/fault.h"

// Prints one, indented, with a newline. Takes `json`; NULL ends the program: memory ran out.
void json_print(json_t *json, FILE *to);

// The bad fields of a fault as a list of {"field", "description"}; owned. NULL when out of memory.
json_t *json_print_new_fields(const struct fault *fault);

#endif
