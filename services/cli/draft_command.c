#include "services/cli/draft_command.h"

#include <inttypes.h>

#include "common/protobuf/field.h"
#include "services/cli/answer.h"
#include "services/cli/confirm.h"
#include "services/cli/request.h"
#include "services/cli/whitelist_text.h"

static void print(struct cli *cli, const ProtobufCMessage *response) {
    const ProtobufCMessage *draft = field_find_message(response, "draft");
    struct table table;
    table_init(&table, &cli->arena, NULL, 2);
    table_add_property(&table, "draft", field_get_text(draft, "draft_id"));
    table_add_property(&table, "entries",
                       cli_format(cli, "%" PRId64, field_get_integer(draft, "entry_count")));
    table_add_property(&table, "created", answer_get_time(cli, draft, "created_at", ""));
    table_add_property(&table, "created by", field_get_text(draft, "created_by"));
    table_add_property(&table, "outdated",
                       field_get_integer(draft, "outdated") ? "the live list has changed since" : "no");
    table_print(&table, TABLE_UNCUT, cli->out);
}

enum exit_code draft_command_create(struct cli *cli) {
    static const struct request_field fields[] = {REQUEST_FIELD("empty", "empty")};
    ProtobufCMessage *request = calls_new_request(cli, RPC_CREATE_WHITELIST_DRAFT);
    request_set(cli, request, fields, ARRAY_LENGTH(fields));
    calls_set_change_options(cli, request);
    return answer_call(cli, RPC_CREATE_WHITELIST_DRAFT, request, print);
}

enum exit_code draft_command_show(struct cli *cli) {
    ProtobufCMessage *request = calls_new_request(cli, RPC_GET_WHITELIST_DRAFT);
    request_set_argument(cli, request, "draft_id");
    return answer_call(cli, RPC_GET_WHITELIST_DRAFT, request, print);
}

// ---- list ----

static void add_draft(struct answer_list *list, const ProtobufCMessage *draft) {
    struct cli *cli = list->cli;
    table_add(list->table, (const char *const[]){
                               field_get_text(draft, "draft_id"),
                               cli_format(cli, "%" PRId64, field_get_integer(draft, "entry_count")),
                               answer_get_time(cli, draft, "created_at", ""),
                               field_get_text(draft, "created_by"),
                               field_get_integer(draft, "outdated") ? "yes" : "no",
                           });
}

// The live list's settings name them.
enum exit_code draft_command_list(struct cli *cli) {
    static const char *const headings[] = {"DRAFT", "ENTRIES", "CREATED", "CREATED BY", "OUTDATED"};
    const ProtobufCMessage *response;
    enum exit_code code = calls_make(cli, RPC_GET_WHITELIST, CALLS_WITH_TOKEN,
                                     calls_new_request(cli, RPC_GET_WHITELIST), &response);
    if (code != EXIT_CODE_DONE)
        return code;
    struct table table;
    struct answer_list list;
    table_init(&table, &cli->arena, headings, ARRAY_LENGTH(headings));
    answer_list_init(&list, cli, "drafts", &table, add_draft);
    answer_list_on_page(&list, response);
    answer_list_print(&list, "there are no drafts; `latchkey draft create` begins one");
    answer_list_fini(&list);
    return EXIT_CODE_DONE;
}

// ---- publish, discard ----

static void print_published(struct cli *cli, const ProtobufCMessage *response) {
    fprintf(cli->out, "published; %s%s\n",
            whitelist_text_describe(cli, field_find_message(response, "whitelist")),
            answer_describe_validators(cli, response));
}

enum exit_code draft_command_publish(struct cli *cli) {
    static const struct request_field fields[] = {REQUEST_FIELD("confirm-within", "confirm_within"),
                                                  REQUEST_FIELD("force", "force")};
    enum exit_code code = EXIT_CODE_DONE;
    if (!options_has(&cli->options, "confirm-within"))
        code = confirm_ask(
            cli, cli_format(cli, "Put %s in the live list's place for good?", cli->options.arguments[0]));
    if (code != EXIT_CODE_DONE)
        return code;
    ProtobufCMessage *request = calls_new_request(cli, RPC_PUBLISH_WHITELIST_DRAFT);
    request_set_argument(cli, request, "draft_id");
    request_set(cli, request, fields, ARRAY_LENGTH(fields));
    calls_set_change_options(cli, request);
    return answer_call(cli, RPC_PUBLISH_WHITELIST_DRAFT, request, print_published);
}

static void print_discarded(struct cli *cli, const ProtobufCMessage *response) {
    (void)response;
    fprintf(cli->out, "discarded %s\n", cli->options.arguments[0]);
}

enum exit_code draft_command_discard(struct cli *cli) {
    enum exit_code code =
        confirm_ask(cli, cli_format(cli, "Throw the draft %s away?", cli->options.arguments[0]));
    if (code != EXIT_CODE_DONE)
        return code;
    ProtobufCMessage *request = calls_new_request(cli, RPC_DISCARD_WHITELIST_DRAFT);
    request_set_argument(cli, request, "draft_id");
    calls_set_change_options(cli, request);
    return answer_call(cli, RPC_DISCARD_WHITELIST_DRAFT, request, print_discarded);
}
