// `latchkey whitelist import`. The file is read twice: every line is checked before the first one is sent.
//
// What fits into one call goes to the live list at once, all or none. More goes into a draft, a batch in a
// call, which then takes the live list's place at once. Each call has a request id derived from the import's,
// so that an import that broke off goes on where it was.
#include <inttypes.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/protobuf/field.h"
#include "services/cli/answer.h"
#include "services/cli/calls.h"
#include "services/cli/confirm.h"
#include "services/cli/interrupt.h"
#include "services/cli/json_print.h"
#include "services/cli/progress.h"
#include "services/cli/request.h"
#include "services/cli/whitelist_command.h"
#include "services/cli/whitelist_import.h"
#include "services/cli/whitelist_text.h"

#define BATCH_ENTRIES_MAX 10000
#define BATCH_BYTES_MAX (600 << 10) // of texts; a message has at most 1 MiB
#define ATTEMPTS_MAX 6              // of a call while the server is not available

// ---- sending ----

static void wait_s(time_t seconds) {
    const struct timespec time = {.tv_sec = seconds};
    nanosleep(&time, NULL);
}

// Repeats a call while the server is not available; the request has an id.
static enum exit_code call(struct whitelist_import *import, enum rpc_id id, const ProtobufCMessage *request,
                           const ProtobufCMessage **ret_response, struct fault *ret_fault) {
    struct cli *cli = import->cli;
    for (int attempt = 1;; attempt++) {
        enum exit_code code = calls_make_quietly(cli, id, CALLS_WITH_TOKEN, request, ret_response, ret_fault);
        if (ret_fault->status != STATUS_UNAVAILABLE || attempt == ATTEMPTS_MAX || interrupt_has_come())
            return code;
        wait_s(1 << (attempt - 1));
    }
}

static void fill_entry(struct cli *cli, ProtobufCMessage *message, const struct whitelist_record *entry) {
    struct arena *arena = &cli->arena;
    cli_must(field_set_text(arena, message, "address", entry->address));
    if (entry->bits != WHITELIST_RECORD_BITS_UNSET)
        cli_must(field_set_integer(message, "checking_bits", entry->bits));
    if (entry->note[0])
        cli_must(field_set_text(arena, message, "note", entry->note));
    if (entry->owner[0])
        cli_must(field_set_text(arena, message, "owner", entry->owner));
    if (entry->is_disabled)
        cli_must(field_set_integer(message, "disabled", true));
    if (entry->expires_ms != CLOCK_NEVER_MS)
        cli_must(field_set_time_ms(arena, message, "expires_at", entry->expires_ms));
}

// The entries of one call, in the round's arena.
struct batch {
    struct whitelist_record *entries;
    size_t *lines; // where each stands in the file
    size_t count;
};

static enum exit_code read_batch(struct whitelist_import *import, struct batch *ret_batch) {
    struct cli *cli = import->cli;
    struct batch batch = {
        .entries = cli_need(ARENA_NEW_ARRAY(&cli->arena, struct whitelist_record, BATCH_ENTRIES_MAX)),
        .lines = cli_need(ARENA_NEW_ARRAY(&cli->arena, size_t, BATCH_ENTRIES_MAX))};
    struct record record;
    const char *error;
    enum exit_code code = EXIT_CODE_DONE;
    uint64_t bytes = 0;
    while (batch.count < BATCH_ENTRIES_MAX && bytes < BATCH_BYTES_MAX &&
           record_file_next(&import->file, &record, &code)) {
        struct whitelist_record *entry = &batch.entries[batch.count];
        if (whitelist_import_judge(import, &record, &cli->arena, entry, &error) != WHITELIST_IMPORT_GOOD)
            continue;
        bytes += whitelist_import_count_bytes(entry);
        batch.lines[batch.count++] = record.line;
    }
    *ret_batch = batch;
    return code;
}

static ProtobufCMessage *make_add_request(struct whitelist_import *import, const struct batch *batch) {
    struct cli *cli = import->cli;
    ProtobufCMessage *request = calls_new_request(cli, RPC_ADD_WHITELIST_ENTRIES), **entries;
    cli_must(field_set_text(&cli->arena, request, "draft_id", import->draft_id));
    cli_must(field_set_messages(&cli->arena, request, "entries", batch->count, &entries));
    for (size_t i = 0; i < batch->count; i++)
        fill_entry(cli, entries[i], &batch->entries[i]);
    if (import->permits_all)
        cli_must(field_set_integer(request, "force", true));
    if (!import->draft_id[0])
        calls_set_wait(cli, request);
    request_ids_set(cli, &import->ids, request);
    return request;
}

static enum exit_code send_batch(struct whitelist_import *import, const struct batch *batch,
                                 const ProtobufCMessage **ret_response) {
    struct cli *cli = import->cli;
    struct fault fault;
    enum exit_code code =
        call(import, RPC_ADD_WHITELIST_ENTRIES, make_add_request(import, batch), ret_response, &fault);
    if (fault.status != STATUS_OK) {
        record_name_lines(&fault, batch->lines, batch->count);
        return cli_fail_with_fault(cli, &fault);
    }
    if (code != EXIT_CODE_DONE)
        return code;
    import->sent += batch->count;
    import->warnings += field_get_count(*ret_response, "warnings");
    return EXIT_CODE_DONE;
}

static enum exit_code send_draft(struct whitelist_import *import) {
    struct progress progress;
    enum exit_code code;
    const ProtobufCMessage *response;
    progress_begin(&progress, import->cli, "adding", import->good);
    interrupt_begin();
    do {
        struct batch batch;
        whitelist_import_begin_round(import);
        code = read_batch(import, &batch);
        if (code == EXIT_CODE_DONE && batch.count > 0)
            code = send_batch(import, &batch, &response);
        bool is_over = batch.count == 0;
        whitelist_import_swap_arenas(import);
        progress_show(&progress, import->sent);
        if (is_over)
            break;
    } while (code == EXIT_CODE_DONE && !interrupt_has_come());
    progress_end(&progress);
    if (code == EXIT_CODE_DONE && import->sent < import->good)
        return cli_fail(import->cli, EXIT_CODE_UNAVAILABLE,
                        "broken off after %" PRIu64 " of %" PRIu64 " entries", import->sent, import->good);
    return code;
}

// ---- the live list, in one call ----

static void print_warnings(struct whitelist_import *import) {
    if (import->warnings > 0)
        fprintf(import->cli->err,
                "latchkey: %" PRIu64 "%s of them were in the list already, or inside another\n",
                import->warnings, import->warnings >= 1000 ? " or more" : "");
}

static void print_left_out(struct whitelist_import *import) {
    if (import->ended > 0)
        fprintf(import->cli->err, "latchkey: %" PRIu64 " had ended already and were left out\n",
                import->ended);
}

static json_t *summarize(struct whitelist_import *import) {
    return cli_need(json_pack("{s:I, s:I, s:o, s:I, s:I}", "added", (json_int_t)import->sent, "skipped_bad",
                              (json_int_t)import->bad, "skipped", json_print_new_fields(&import->complaints),
                              "skipped_ended", (json_int_t)import->ended, "warnings",
                              (json_int_t)import->warnings));
}

static enum exit_code add_to_live_list(struct whitelist_import *import) {
    struct cli *cli = import->cli;
    struct batch batch;
    const ProtobufCMessage *response;
    enum exit_code code = read_batch(import, &batch);
    if (code == EXIT_CODE_DONE)
        code = send_batch(import, &batch, &response);
    if (code != EXIT_CODE_DONE)
        return code;
    if (cli->is_json) {
        json_print(summarize(import), cli->out);
        return answer_get_code(response);
    }
    print_warnings(import);
    print_left_out(import);
    fprintf(cli->out, "added %s to the live list%s\n", answer_count(cli, import->sent, "entry", "entries"),
            answer_describe_validators(cli, response));
    return answer_get_code(response);
}

// ---- a draft ----

static enum exit_code create_draft(struct whitelist_import *import) {
    static const struct request_field fields[] = {REQUEST_FIELD("replace", "empty")};
    struct cli *cli = import->cli;
    ProtobufCMessage *request = calls_new_request(cli, RPC_CREATE_WHITELIST_DRAFT);
    request_set(cli, request, fields, ARRAY_LENGTH(fields));
    request_ids_set(cli, &import->ids, request);
    const ProtobufCMessage *response;
    struct fault fault;
    enum exit_code code = call(import, RPC_CREATE_WHITELIST_DRAFT, request, &response, &fault);
    if (fault.status != STATUS_OK)
        return cli_fail_with_fault(cli, &fault);
    if (code == EXIT_CODE_DONE)
        import->draft_id = field_get_text(field_find_message(response, "draft"), "draft_id");
    return code;
}

static void say_how_to_go_on(struct whitelist_import *import) {
    if (!import->cli->is_json)
        fprintf(import->cli->err,
                "  the live list is as it was; within a day the same command with %s goes on where this one "
                "ended\n",
                request_ids_describe(import->cli, &import->ids));
}

// What came before the refusal is in a draft that was there already.
static void say_what_is_in(struct whitelist_import *import) {
    if (!import->cli->is_json && import->sent > 0)
        fprintf(import->cli->err,
                "  the live list is as it was; of %" PRIu64 " entries %" PRIu64 " are in the draft %s\n",
                import->good, import->sent, import->draft_id);
}

// A draft that will not be filled: gone, unless trying again can help.
static void give_up(struct whitelist_import *import, enum exit_code code, bool is_own) {
    struct cli *cli = import->cli;
    if (code == EXIT_CODE_UNAVAILABLE) {
        say_how_to_go_on(import);
        return;
    }
    if (!is_own) {
        say_what_is_in(import);
        return;
    }
    ProtobufCMessage *request = calls_new_request(cli, RPC_DISCARD_WHITELIST_DRAFT);
    cli_must(field_set_text(&cli->arena, request, "draft_id", import->draft_id));
    (void)calls_try(cli, RPC_DISCARD_WHITELIST_DRAFT, request);
}

static enum exit_code publish(struct whitelist_import *import) {
    static const struct request_field fields[] = {REQUEST_FIELD("confirm-within", "confirm_within"),
                                                  REQUEST_FIELD("force", "force")};
    struct cli *cli = import->cli;
    ProtobufCMessage *request = calls_new_request(cli, RPC_PUBLISH_WHITELIST_DRAFT);
    cli_must(field_set_text(&cli->arena, request, "draft_id", import->draft_id));
    request_set(cli, request, fields, ARRAY_LENGTH(fields));
    calls_set_wait(cli, request);
    request_ids_set(cli, &import->ids, request);
    const ProtobufCMessage *response;
    struct fault fault;
    enum exit_code code = call(import, RPC_PUBLISH_WHITELIST_DRAFT, request, &response, &fault);
    if (fault.status != STATUS_OK) {
        code = cli_fail_with_fault(cli, &fault);
        if (!cli->is_json)
            fprintf(
                cli->err,
                "  the live list is as it was, and the entries are in the draft %s: `latchkey draft publish` or "
                "`discard` it\n",
                import->draft_id);
        return code;
    }
    if (code != EXIT_CODE_DONE)
        return code;
    const ProtobufCMessage *whitelist = field_find_message(response, "whitelist");
    if (cli->is_json) {
        json_t *json = summarize(import);
        json_object_set_new(json, "whitelist", answer_to_json(cli, whitelist));
        json_print(json, cli->out);
    } else {
        print_warnings(import);
        print_left_out(import);
        fprintf(cli->out, "added %s; %s%s\n", answer_count(cli, import->sent, "entry", "entries"),
                whitelist_text_describe(cli, whitelist), answer_describe_validators(cli, response));
    }
    return answer_get_code(response);
}

static void print_draft(struct whitelist_import *import) {
    struct cli *cli = import->cli;
    if (cli->is_json) {
        json_t *json = summarize(import);
        json_object_set_new(json, "draft_id", json_string(import->draft_id));
        json_print(json, cli->out);
        return;
    }
    print_warnings(import);
    print_left_out(import);
    fprintf(cli->out,
            "added %s to the draft %s; `latchkey whitelist preview --draft %s` says whom it would "
            "refuse, `latchkey draft publish %s` puts it in the live list's place\n",
            answer_count(cli, import->sent, "entry", "entries"), import->draft_id, import->draft_id,
            import->draft_id);
}

// Nothing can be published while something waits for its confirmation: better said before the work than
// after.
static enum exit_code refuse_while_pending(struct whitelist_import *import) {
    struct cli *cli = import->cli;
    const ProtobufCMessage *response =
        calls_try(cli, RPC_GET_WHITELIST, calls_new_request(cli, RPC_GET_WHITELIST));
    if (!response || !field_find_message(field_find_message(response, "whitelist"), "confirm_by"))
        return EXIT_CODE_DONE;
    return cli_fail(
        cli, EXIT_CODE_REFUSED,
        "what was changed last waits for its confirmation: `latchkey whitelist confirm` it first, or say "
        "--no-publish");
}

static enum exit_code import_into_draft(struct whitelist_import *import) {
    struct cli *cli = import->cli;
    const char *typed = options_find_text(&cli->options, "draft");
    bool is_published = !typed && !options_has(&cli->options, "no-publish");
    import->draft_id = typed;
    enum exit_code code = is_published ? refuse_while_pending(import) : EXIT_CODE_DONE;
    if (code == EXIT_CODE_DONE && !typed)
        code = create_draft(import);
    if (code != EXIT_CODE_DONE)
        return code;
    code = send_draft(import);
    if (code != EXIT_CODE_DONE) {
        give_up(import, code, !typed);
        return code;
    }
    if (is_published)
        return publish(import);
    print_draft(import);
    return EXIT_CODE_DONE;
}

// ---- the whole ----

static bool is_for_live_list(const struct whitelist_import *import) {
    const struct options *options = &import->cli->options;
    return import->good <= BATCH_ENTRIES_MAX && import->bytes < BATCH_BYTES_MAX &&
           !options_has(options, "replace") && !options_has(options, "draft") &&
           !options_has(options, "no-publish") && !options_has(options, "confirm-within");
}

// Only what takes the present list's place for good is asked about.
static enum exit_code ask(struct whitelist_import *import) {
    struct cli *cli = import->cli;
    if (!options_has(&cli->options, "replace") || options_has(&cli->options, "no-publish") ||
        options_has(&cli->options, "confirm-within"))
        return EXIT_CODE_DONE;
    return confirm_ask(cli, cli_format(cli, "Replace the whole live list by %s?",
                                       answer_count(cli, import->good, "entry", "entries")));
}

static enum exit_code run(struct whitelist_import *import) {
    enum exit_code code = whitelist_import_check(import);
    if (code == EXIT_CODE_DONE)
        code = ask(import);
    if (code == EXIT_CODE_DONE)
        code = record_file_rewind(&import->file);
    if (code == EXIT_CODE_DONE)
        code = calls_begin(import->cli); // what it keeps is no round's
    if (code != EXIT_CODE_DONE)
        return code;
    return is_for_live_list(import) ? add_to_live_list(import) : import_into_draft(import);
}

enum exit_code whitelist_command_import(struct cli *cli) {
    struct whitelist_import import = {.cli = cli,
                                      .skips_bad = options_has(&cli->options, "skip-bad"),
                                      .permits_all = options_has(&cli->options, "force"),
                                      .now_ms = clock_get_realtime_ms(clock_get_system()),
                                      .draft_id = ""};
    if (options_has(&cli->options, "draft") && options_has(&cli->options, "replace"))
        return cli_fail(cli, EXIT_CODE_USAGE, "--replace begins a draft of its own; leave --draft out");
    enum exit_code code = request_ids_init(cli, &import.ids);
    if (code == EXIT_CODE_DONE)
        code = record_file_open(cli, cli->options.arguments[0], whitelist_record_columns,
                                WHITELIST_COLUMN_COUNT, WHITELIST_COLUMN_NOTE, &import.file);
    if (code != EXIT_CODE_DONE)
        return code;
    arena_init(&import.round, 0);
    code = run(&import);
    arena_fini(&import.round);
    record_file_close(&import.file);
    return code;
}
