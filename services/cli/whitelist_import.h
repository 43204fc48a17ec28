// `latchkey whitelist import`: what its two halves share, checking the file and sending it.
#ifndef LATCHKEY_SERVICES_CLI_WHITELIST_IMPORT_H
#define LATCHKEY_SERVICES_CLI_WHITELIST_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/compiler.h"
#include "services/cli/record_file.h"
#include "services/cli/request_ids.h"
#include "services/cli/whitelist_record.h"

struct whitelist_import {
    struct cli *cli;
    struct record_file file;
    struct arena round; // of a batch
    struct request_ids ids;
    bool skips_bad, permits_all;
    int64_t now_ms;
    uint64_t good, bad, ended; // lines, by the check
    uint64_t bytes;            // of the good ones
    uint64_t sent, warnings;   // so far
    const char *draft_id;      // "" = the live list
    struct fault complaints;   // about the file
};

// Reads the whole file and says what is wrong with it. EXIT_CODE_DONE: there is something to send, and it may
// be.
MUST_CHECK enum exit_code whitelist_import_check(struct whitelist_import *import);

// An entry that has ended lets nobody in: it is left out.
enum whitelist_import_verdict { WHITELIST_IMPORT_GOOD, WHITELIST_IMPORT_BAD, WHITELIST_IMPORT_ENDED };

// `ret_error` says what is wrong with a bad one, in `arena`.
enum whitelist_import_verdict whitelist_import_judge(struct whitelist_import *import,
                                                     const struct record *record, struct arena *arena,
                                                     struct whitelist_record *ret_entry,
                                                     const char **ret_error);

// Of an entry in a message, roughly.
uint64_t whitelist_import_count_bytes(const struct whitelist_record *entry);

// Swaps the run's arena with the round's; after the first of two, what is allocated goes with the round.
void whitelist_import_swap_arenas(struct whitelist_import *import);
// The first of them, with the round's arena empty.
void whitelist_import_begin_round(struct whitelist_import *import);

#endif
