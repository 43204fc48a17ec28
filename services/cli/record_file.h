// A file of records, read in pieces, so that its size is no matter; twice where that is needed. What can't be
// read twice (a pipe) is kept in a temporary file.
#ifndef LATCHKEY_SERVICES_CLI_RECORD_FILE_H
#define LATCHKEY_SERVICES_CLI_RECORD_FILE_H

#include <stdio.h>

#include "services/cli/cli.h"
#include "services/cli/records.h"

struct record_file {
    struct cli *cli;
    const char *path; // as typed
    FILE *from;
    struct records records;
    uint8_t *buffer;
    size_t capacity;
    struct bytes rest; // of the buffer, not read yet
    bool is_last;      // nothing comes behind it
};

// "-" is standard input. EXIT_CODE_DONE or what cli_fail() said.
MUST_CHECK enum exit_code record_file_open(struct cli *cli, const char *path,
                                           const struct record_column *columns, size_t column_count,
                                           size_t comment_column, struct record_file *ret_file);

// Begins again at the first record.
MUST_CHECK enum exit_code record_file_rewind(struct record_file *file);

// The next one, with its texts in the run's arena; false at the end, or when reading failed and cli_fail()
// has said so: `ret_code` tells.
MUST_CHECK bool record_file_next(struct record_file *file, struct record *ret_record,
                                 enum exit_code *ret_code);

void record_file_close(struct record_file *file);

#endif
