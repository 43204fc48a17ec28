// The deployment's part of the permission catalogue as a file: a name and its description on each line, "#"
// beginning a comment line.
#ifndef LATCHKEY_SERVICES_CLI_PERMISSIONS_FILE_H
#define LATCHKEY_SERVICES_CLI_PERMISSIONS_FILE_H

#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "services/cli/cli.h"

#define PERMISSIONS_FILE_LINES_MAX 10000
#define PERMISSIONS_FILE_BYTES_MAX (8 << 20)
#define PERMISSIONS_FILE_DESCRIPTION_MAX 500 // characters

struct permissions_file {
    struct bytes *names, *descriptions; // borrow from the text
    size_t count;
};

// Every bad line is a field of the fault, "line 3", which is INVALID then. Borrows `text`.
MUST_CHECK enum status permissions_file_parse(struct bytes text, struct arena *arena, struct fault *fault,
                                              struct permissions_file *ret_file);

// "-" is standard input. EXIT_CODE_DONE or what was told about the mistakes.
MUST_CHECK enum exit_code permissions_file_read(struct cli *cli, const char *path,
                                                struct permissions_file *ret_file);

#endif
