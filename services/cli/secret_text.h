// Secrets on their way in and out of the program: read from a file, standard input or the environment, never
// from the command line, where other users and the shell's history would see them; a new one is shown once or
// goes into a file.
#ifndef LATCHKEY_SERVICES_CLI_SECRET_TEXT_H
#define LATCHKEY_SERVICES_CLI_SECRET_TEXT_H

#include <stdbool.h>

#include "common/base/compiler.h"
#include "services/cli/cli.h"

#define SECRET_TEXT_MAX 4096 // foreign secrets may be longer than ours

// Whether `word` looks like one of our secrets, or holds one ("--token=lka_...").
bool secret_text_is_in(const char *word);

// The secret in the file, "-" being standard input, without white space around it; on a terminal one line is
// asked for there, and typed unseen. It must be one line of
// printable ASCII. NULL after cli_fail(), whose code is in `ret_code`. In the arena; standard input can be
// read once only.
MUST_CHECK const char *secret_text_read(struct cli *cli, const char *path, enum exit_code *ret_code);

// The same for a value that an environment variable holds.
MUST_CHECK const char *secret_text_check(struct cli *cli, const char *value, const char *where,
                                         enum exit_code *ret_code);

// The secret in the file of --secret-file, which the command's options have; without that option from
// standard input, on a terminal after `question` and unseen. As secret_text_read().
MUST_CHECK const char *secret_text_read_or_ask(struct cli *cli, const char *question,
                                               enum exit_code *ret_code);

// Opens a new file of mode 0600 for a secret that will be made: before the secret exists, so that it is not
// made in vain. False after cli_fail(), whose code is in `ret_code`.
MUST_CHECK bool secret_text_create_file(struct cli *cli, const char *path, int *ret_fd,
                                        enum exit_code *ret_code);

// Closes and removes the file of a secret that was not made after all.
void secret_text_discard_file(const char *path, int fd);

// Writes `text` and a newline and closes the file. EXIT_CODE_DONE or what cli_fail() said, with `remedy`,
// what to do about the secret that is lost, at the end of the sentence.
MUST_CHECK enum exit_code secret_text_write_file(struct cli *cli, const char *path, int fd, const char *text,
                                                 const char *remedy);

#endif
