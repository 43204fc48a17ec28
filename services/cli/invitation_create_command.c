// `latchkey invitation create`: any number of people, as many in a call as it takes.
#include "common/protobuf/field.h"
#include "services/cli/answer.h"
#include "services/cli/invitation_command.h"
#include "services/cli/json_print.h"
#include "services/cli/lookup.h"
#include "services/cli/record_file.h"
#include "services/cli/request.h"
#include "services/cli/request_ids.h"

#define BATCH_MAX 100
#define FILE_MAX 10000 // addresses

// The people to invite, and the roles of all of them.
struct people {
    const char **emails;
    size_t count;
    const char **role_ids;
    size_t role_count;
};

static void add_email(struct cli *cli, struct people *people, const char *email) {
    if (people->count == 0)
        people->emails = cli_need(ARENA_NEW_ARRAY(&cli->arena, const char *, FILE_MAX));
    people->emails[people->count++] = email;
}

static enum exit_code read_file(struct cli *cli, const char *path, struct people *people) {
    static const struct record_column columns[] = {{{"email", "e_mail", "address"}}};
    struct record_file file;
    struct record record;
    enum exit_code code = record_file_open(cli, path, columns, ARRAY_LENGTH(columns), 1, &file);
    if (code != EXIT_CODE_DONE)
        return code;
    while (record_file_next(&file, &record, &code)) {
        if (record.error || !record.texts[0] || people->count == FILE_MAX) {
            code = cli_fail(cli, EXIT_CODE_USAGE, "line %zu of %s: %s", record.line, path,
                            record.error                ? record.error
                            : people->count == FILE_MAX ? "a file has at most 10 000 addresses"
                                                        : "the address is missing");
            break;
        }
        add_email(cli, people, record.texts[0]);
    }
    record_file_close(&file);
    if (code == EXIT_CODE_DONE && people->count == 0)
        return cli_fail(cli, EXIT_CODE_USAGE, "%s holds no address", path);
    return code;
}

static enum exit_code find_people(struct cli *cli, struct people *ret_people) {
    const char *path = options_find_text(&cli->options, "file");
    *ret_people = (struct people){.emails = cli->options.arguments, .count = cli->options.argument_count};
    if (!path == (ret_people->count == 0))
        return cli_fail(cli, EXIT_CODE_USAGE, "name whom to invite: EMAIL..., or --file FILE");
    return path ? read_file(cli, path, ret_people) : EXIT_CODE_DONE;
}

// ---- results ----

struct results {
    struct cli *cli;
    const struct people *people;
    size_t done;
    bool has_failed;
    struct table table;
    json_t *json; // the list of all results
};

static void add_row(struct results *results, const char *email, const ProtobufCMessage *result) {
    const ProtobufCMessage *invitation = field_find_message(result, "invitation"),
                           *error = field_find_message(result, "error");
    const char *ends = invitation ? answer_get_time(results->cli, invitation, "expires_at", "") : "";
    table_add(&results->table, (const char *const[]){
                                   email,
                                   invitation ? field_get_text(invitation, "invitation_id") : "not invited",
                                   error ? field_get_text(error, "message")
                                         : cli_format(results->cli, "link good until %s", ends),
                               });
}

static void add_results(struct results *results, const ProtobufCMessage *response) {
    size_t count = field_get_count(response, "results");
    for (size_t i = 0; i < count; i++) {
        const ProtobufCMessage *result = field_get_message_at(response, "results", i);
        results->has_failed = results->has_failed || field_find_message(result, "error");
        json_array_append_new(results->json, answer_to_json(results->cli, result));
        add_row(results, results->people->emails[results->done + i], result);
    }
    results->done += count;
}

static void print(struct results *results) {
    struct cli *cli = results->cli;
    if (cli->is_json)
        json_print(json_pack("{s:O}", "results", results->json), cli->out);
    else if (results->done > 0)
        table_print(&results->table, TABLE_UNCUT, cli->out);
}

// ---- the calls ----

static enum exit_code invite(struct cli *cli, struct results *results, struct request_ids *ids) {
    static const struct request_field fields[] = {REQUEST_FIELD("allowed-ip", "allowed_ips")};
    const struct people *people = results->people;
    size_t left = people->count - results->done, count = left < BATCH_MAX ? left : BATCH_MAX;
    ProtobufCMessage *request = calls_new_request(cli, RPC_CREATE_INVITATIONS), **invitations;
    cli_must(field_set_messages(&cli->arena, request, "invitations", count, &invitations));
    for (size_t i = 0; i < count; i++) {
        cli_must(field_set_text(&cli->arena, invitations[i], "email", people->emails[results->done + i]));
        request_set(cli, invitations[i], fields, ARRAY_LENGTH(fields));
        cli_must(
            field_set_texts(&cli->arena, invitations[i], "role_ids", people->role_ids, people->role_count));
    }
    calls_set_wait(cli, request);
    request_ids_set(cli, ids, request);
    const ProtobufCMessage *response;
    enum exit_code code = calls_make(cli, RPC_CREATE_INVITATIONS, CALLS_WITH_TOKEN, request, &response);
    if (code == EXIT_CODE_DONE)
        add_results(results, response);
    return code;
}

enum exit_code invitation_command_create(struct cli *cli) {
    static const char *const headings[] = {"EMAIL", "INVITATION", "RESULT"};
    struct people people;
    struct request_ids ids;
    enum exit_code code = find_people(cli, &people);
    if (code == EXIT_CODE_DONE)
        code = lookup_find_roles(cli, &people.role_ids, &people.role_count);
    if (code == EXIT_CODE_DONE)
        code = request_ids_init(cli, &ids);
    if (code != EXIT_CODE_DONE)
        return code;
    struct results results = {.cli = cli, .people = &people, .json = cli_need(json_array())};
    table_init(&results.table, &cli->arena, headings, ARRAY_LENGTH(headings));
    while (results.done < people.count && code == EXIT_CODE_DONE)
        code = invite(cli, &results, &ids);
    if (code == EXIT_CODE_DONE || results.done > 0)
        print(&results);
    json_decref(results.json);
    return code == EXIT_CODE_DONE && results.has_failed ? EXIT_CODE_NO : code;
}
