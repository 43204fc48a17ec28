// `latchkey token import` and `report`. Every line of the file is checked before the first one is sent.
#include <inttypes.h>

#include "common/protobuf/field.h"
#include "services/cli/answer.h"
#include "services/cli/json_print.h"
#include "services/cli/progress.h"
#include "services/cli/record_file.h"
#include "services/cli/request.h"
#include "services/cli/request_ids.h"
#include "services/cli/secret_text.h"
#include "services/cli/terminal.h"
#include "services/cli/token_command.h"
#include "services/cli/token_record.h"

#define BATCH_TOKENS_MAX 1000
#define BATCH_BYTES_MAX (600 << 10) // packed; a message has at most 1 MiB

struct import {
    struct cli *cli;
    struct record_file file;
    struct request_ids ids;
    uint64_t count, taken, refused;
    json_t *json; // the list of all results; NULL without --json
};

// ---- import ----

static const struct request_field token_fields[] = {REQUEST_FIELD("company-owned", "company_owned")};

// A message of the list's type that belongs to no request yet.
static ProtobufCMessage *new_token(struct cli *cli) {
    ProtobufCMessage *request = calls_new_request(cli, RPC_IMPORT_ACCESS_TOKENS), **tokens;
    cli_must(field_set_messages(&cli->arena, request, "tokens", 1, &tokens));
    return tokens[0];
}

static enum exit_code check_file(struct import *import) {
    struct cli *cli = import->cli;
    struct arena whole = cli->arena, passing;
    struct record record;
    struct fault fault;
    enum exit_code code;
    arena_init(&passing, 0);
    fault_init(&fault, &whole);
    cli->arena = passing;
    while (record_file_next(&import->file, &record, &code)) {
        const char *error = token_record_fill(cli, &record, new_token(cli));
        if (error)
            fault_add_field(&fault, fault_path(&fault, "line %zu", record.line), "%s", error);
        import->count++;
        arena_reset(&cli->arena);
    }
    arena_fini(&cli->arena);
    cli->arena = whole;
    fault.arena = &cli->arena;
    if (code != EXIT_CODE_DONE || fault.status == STATUS_OK)
        return code;
    fault.message = cli_format(cli, "%u of %" PRIu64 " tokens of %s can't be taken, and nothing was changed",
                               (unsigned)fault.field_count, import->count, import->file.path);
    return cli_fail_with_fault(cli, &fault);
}

// The tokens of one call and where each stands in the file.
struct batch {
    ProtobufCMessage *tokens[BATCH_TOKENS_MAX];
    size_t lines[BATCH_TOKENS_MAX];
    size_t count;
};

static enum exit_code read_batch(struct import *import, struct batch *batch) {
    struct cli *cli = import->cli;
    struct record record;
    enum exit_code code = EXIT_CODE_DONE;
    size_t bytes = 0;
    batch->count = 0;
    while (batch->count < BATCH_TOKENS_MAX && bytes < BATCH_BYTES_MAX &&
           record_file_next(&import->file, &record, &code)) {
        ProtobufCMessage *token = new_token(cli);
        const char *error = token_record_fill(cli, &record, token);
        if (error)
            return cli_fail(cli, EXIT_CODE_USAGE, "line %zu of %s: %s", record.line, import->file.path,
                            error);
        request_set(cli, token, token_fields, ARRAY_LENGTH(token_fields));
        bytes += protobuf_c_message_get_packed_size(token);
        batch->lines[batch->count] = record.line;
        batch->tokens[batch->count++] = token;
    }
    return code;
}

static void take_result(struct import *import, const ProtobufCMessage *result, size_t line) {
    struct cli *cli = import->cli;
    const ProtobufCMessage *error = field_find_message(result, "error");
    *(error ? &import->refused : &import->taken) += 1;
    if (import->json)
        json_array_append_new(import->json, answer_to_json(cli, result));
    else if (error)
        fprintf(cli->err, "latchkey: line %zu: %s\n", line,
                terminal_clean(&cli->arena, field_get_text(error, "message")));
}

static enum exit_code send_batch(struct import *import, const struct batch *batch) {
    struct cli *cli = import->cli;
    ProtobufCMessage *request = calls_new_request(cli, RPC_IMPORT_ACCESS_TOKENS);
    cli_must(field_put_messages(&cli->arena, request, "tokens", batch->tokens, batch->count));
    calls_set_wait(cli, request);
    request_ids_set(cli, &import->ids, request);
    const ProtobufCMessage *response;
    enum exit_code code = calls_make(cli, RPC_IMPORT_ACCESS_TOKENS, CALLS_WITH_TOKEN, request, &response);
    if (code != EXIT_CODE_DONE)
        return code;
    size_t count = field_get_count(response, "results");
    for (size_t i = 0; i < count && i < batch->count; i++)
        take_result(import, field_get_message_at(response, "results", i), batch->lines[i]);
    return answer_get_code(response);
}

static enum exit_code send_file(struct import *import) {
    struct cli *cli = import->cli;
    struct arena whole = cli->arena;
    struct batch batch;
    struct progress progress;
    enum exit_code code;
    progress_begin(&progress, cli, "importing", import->count);
    arena_init(&cli->arena, 0);
    do {
        arena_reset(&cli->arena);
        code = read_batch(import, &batch);
        if (code == EXIT_CODE_DONE && batch.count > 0)
            code = send_batch(import, &batch);
        progress_show(&progress, import->taken + import->refused);
    } while (code == EXIT_CODE_DONE && batch.count > 0);
    arena_fini(&cli->arena);
    cli->arena = whole;
    progress_end(&progress);
    return code;
}

static enum exit_code run(struct import *import) {
    struct cli *cli = import->cli;
    enum exit_code code = check_file(import);
    if (code == EXIT_CODE_DONE && import->count == 0)
        code = cli_fail(cli, EXIT_CODE_USAGE, "%s holds no token", import->file.path);
    if (code == EXIT_CODE_DONE)
        code = record_file_rewind(&import->file);
    if (code == EXIT_CODE_DONE)
        code = calls_begin(cli); // what it keeps is no batch's
    if (code == EXIT_CODE_DONE)
        code = send_file(import);
    if (import->json && (code == EXIT_CODE_DONE || import->taken + import->refused > 0))
        json_print(json_pack("{s:O}", "results", import->json), cli->out);
    else if (code == EXIT_CODE_DONE || import->taken > 0)
        fprintf(cli->out, "took over %s; not taken: %" PRIu64 "\n",
                answer_count(cli, import->taken, "token", "tokens"), import->refused);
    return code == EXIT_CODE_DONE && import->refused > 0 ? EXIT_CODE_NO : code;
}

enum exit_code token_command_import(struct cli *cli) {
    struct import import = {.cli = cli, .json = cli->is_json ? cli_need(json_array()) : NULL};
    enum exit_code code = request_ids_init(cli, &import.ids);
    if (code == EXIT_CODE_DONE)
        code = record_file_open(cli, cli->options.arguments[0], token_record_columns, TOKEN_RECORD_COLUMNS,
                                TOKEN_RECORD_COLUMNS, &import.file);
    if (code == EXIT_CODE_DONE) {
        code = run(&import);
        record_file_close(&import.file);
    }
    json_decref(import.json);
    return code;
}

// ---- report ----

static void print_reported(struct cli *cli, const ProtobufCMessage *response) {
    (void)response;
    fputs("reported; if a token is behind it, it is dealt with as its company's policy says\n", cli->out);
}

enum exit_code token_command_report(struct cli *cli) {
    enum exit_code code = EXIT_CODE_DONE;
    const char *secret = secret_text_read_or_ask(cli, "Paste what was found: ", &code);
    if (!secret)
        return code;
    ProtobufCMessage *request = calls_new_request(cli, RPC_REPORT_LEAKED_TOKEN);
    cli_must(field_set_text(&cli->arena, request, "secret", secret));
    return answer_call_as_anybody(cli, RPC_REPORT_LEAKED_TOKEN, request, print_reported);
}
