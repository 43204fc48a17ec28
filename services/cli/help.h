// Help, written from the command table.
#ifndef LATCHKEY_SERVICES_CLI_HELP_H
#define LATCHKEY_SERVICES_CLI_HELP_H

#include <stdio.h>

#include "services/cli/command.h"

void help_print_all(FILE *to);
void help_print_noun(const char *noun, FILE *to); // a noun that the table has
void help_print_command(const struct command *command, FILE *to);

// A completion script for bash.
void help_print_bash_completion(FILE *to);

#endif
