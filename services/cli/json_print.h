// JSON on standard output, for programs.
#ifndef LATCHKEY_SERVICES_CLI_JSON_PRINT_H
#define LATCHKEY_SERVICES_CLI_JSON_PRINT_H

#include <jansson.h>
#include <stdio.h>

// Prints one, indented, with a newline. Takes `json`; NULL ends the program: memory ran out.
void json_print(json_t *json, FILE *to);

#endif
