// `latchkey whitelist import`, the first half: every line of the file is checked before anything is sent.
#include <inttypes.h>
#include <string.h>

#include "services/cli/cli.h"
#include "services/cli/terminal.h"
#include "services/cli/whitelist_import.h"

#define ENTRY_BYTES 32 // of an entry beside its texts, roughly
#define COMPLAINTS_MAX FAULT_FIELDS_MAX

uint64_t whitelist_import_count_bytes(const struct whitelist_record *entry) {
    return ENTRY_BYTES + strlen(entry->address) + strlen(entry->note) + strlen(entry->owner);
}

enum whitelist_import_verdict whitelist_import_judge(struct whitelist_import *import,
                                                     const struct record *record, struct arena *arena,
                                                     struct whitelist_record *ret_entry,
                                                     const char **ret_error) {
    *ret_error = whitelist_record_read(record, import->permits_all, arena, ret_entry);
    if (*ret_error)
        return WHITELIST_IMPORT_BAD;
    return ret_entry->expires_ms <= import->now_ms ? WHITELIST_IMPORT_ENDED : WHITELIST_IMPORT_GOOD;
}

static void complain(struct whitelist_import *import, const struct record *record, const char *error) {
    if (import->bad++ < COMPLAINTS_MAX)
        fault_add_field(&import->complaints, fault_path(&import->complaints, "line %zu", record->line), "%s",
                        error);
}

static void check_record(struct whitelist_import *import, const struct record *record) {
    struct whitelist_record entry;
    const char *error;
    switch (whitelist_import_judge(import, record, &import->cli->arena, &entry, &error)) {
    case WHITELIST_IMPORT_GOOD:
        import->good++;
        import->bytes += whitelist_import_count_bytes(&entry);
        return;
    case WHITELIST_IMPORT_BAD: complain(import, record, error); return;
    case WHITELIST_IMPORT_ENDED: import->ended++; return;
    }
}

void whitelist_import_swap_arenas(struct whitelist_import *import) {
    struct arena arena = import->cli->arena;
    import->cli->arena = import->round;
    import->round = arena;
}

void whitelist_import_begin_round(struct whitelist_import *import) {
    whitelist_import_swap_arenas(import);
    arena_reset(&import->cli->arena);
}

static enum exit_code check_file(struct whitelist_import *import) {
    struct record record;
    enum exit_code code;
    fault_init(&import->complaints, &import->cli->arena);
    import->complaints.arena = &import->round; // which is the run's while the round goes on
    whitelist_import_begin_round(import);
    while (record_file_next(&import->file, &record, &code)) {
        check_record(import, &record);
        arena_reset(&import->cli->arena);
    }
    whitelist_import_swap_arenas(import);
    import->complaints.arena = &import->cli->arena;
    return code;
}

// ---- what was wrong ----

static void print_complaints(struct whitelist_import *import) {
    FILE *to = import->cli->err;
    for (const struct fault_field *field = import->complaints.fields; field; field = field->next)
        fprintf(to, "  %s: %s\n", field->field, terminal_clean(&import->cli->arena, field->description));
    if (import->bad > COMPLAINTS_MAX)
        fprintf(to, "  and %" PRIu64 " more\n", import->bad - COMPLAINTS_MAX);
}

static enum exit_code refuse_file(struct whitelist_import *import) {
    struct fault *fault = &import->complaints;
    fault->message = cli_format(import->cli,
                                "%" PRIu64 " of %" PRIu64
                                " entries of %s can't be taken, and nothing was changed; --skip-bad "
                                "takes the others",
                                import->bad, import->bad + import->good + import->ended, import->file.path);
    enum exit_code code = cli_fail_with_fault(import->cli, fault);
    if (!import->cli->is_json && import->bad > COMPLAINTS_MAX)
        fprintf(import->cli->err, "  and %" PRIu64 " more\n", import->bad - COMPLAINTS_MAX);
    return code;
}

// What is said about the file, and whether it is taken.
static enum exit_code judge_file(struct whitelist_import *import) {
    struct cli *cli = import->cli;
    const struct records *records = &import->file.records;
    if (records->unknown_count > 0 && !cli->is_json)
        fprintf(cli->err, "latchkey: columns that entries do not have are passed over, such as \"%s\"\n",
                terminal_clean(&cli->arena, records->unknown_name));
    if (import->bad > 0 && !import->skips_bad)
        return refuse_file(import);
    if (import->bad > 0 && !cli->is_json) {
        fprintf(cli->err, "latchkey: %" PRIu64 " %s passed over:\n", import->bad,
                import->bad == 1 ? "entry is" : "entries are");
        print_complaints(import);
    }
    if (import->good == 0)
        return cli_fail(cli, EXIT_CODE_USAGE, "%s holds no entry that could be taken", import->file.path);
    return EXIT_CODE_DONE;
}

enum exit_code whitelist_import_check(struct whitelist_import *import) {
    enum exit_code code = check_file(import);
    return code == EXIT_CODE_DONE ? judge_file(import) : code;
}
