// `latchkey whitelist preview`: whom a change would refuse.
#include <inttypes.h>

#include "common/protobuf/field.h"
#include "services/cli/answer.h"
#include "services/cli/request.h"
#include "services/cli/whitelist_command.h"
#include "services/cli/whitelist_ids.h"

static void add_refusal(struct answer_list *list, const ProtobufCMessage *refusal) {
    struct cli *cli = list->cli;
    const char *token = field_get_text(refusal, "token_id"), *member = field_get_text(refusal, "member_id");
    table_add(list->table, (const char *const[]){
                               token[0] ? token : member,
                               field_get_text(refusal, "label"),
                               field_get_text(refusal, "client_ip"),
                               answer_get_time(cli, refusal, "at", ""),
                           });
}

static void print_refusals(struct cli *cli, const ProtobufCMessage *response, const char *items,
                           int64_t count, const char *what) {
    static const char *const headings[] = {"WHO", "LABEL", "ADDRESS", "LAST AT"};
    struct table table;
    struct answer_list list;
    fprintf(cli->out, "it would refuse %" PRId64 " %s of the last 30 days\n", count, what);
    if (count == 0)
        return;
    table_init(&table, &cli->arena, headings, ARRAY_LENGTH(headings));
    answer_list_init(&list, cli, items, &table, add_refusal);
    answer_list_on_page(&list, response);
    answer_list_print(&list, "");
    answer_list_fini(&list);
    if (count > (int64_t)list.count)
        fprintf(cli->out, "and %" PRId64 " more\n", count - (int64_t)list.count);
}

static void print(struct cli *cli, const ProtobufCMessage *response) {
    print_refusals(cli, response, "refused_logins", field_get_integer(response, "refused_login_count"),
                   "log-ins");
    print_refusals(cli, response, "refused_tokens", field_get_integer(response, "refused_token_count"),
                   "tokens' latest uses");
    fprintf(cli->out, "%s %s, your own address\n",
            field_get_integer(response, "locks_out_caller") ? "it WOULD LOCK OUT" : "it lets in",
            field_get_text(response, "client_ip"));
}

// Absent: as it is, but switched on.
static void set_settings(struct cli *cli, ProtobufCMessage *request) {
    static const struct request_field fields[] = {REQUEST_WORDS("scope", "scope", "WHITELIST_SCOPE_")};
    ProtobufCMessage *whitelist;
    if (!options_has(&cli->options, "scope"))
        return;
    cli_must(field_set_message(&cli->arena, request, "whitelist", &whitelist));
    cli_must(field_set_integer(whitelist, "enabled", true));
    request_set(cli, whitelist, fields, ARRAY_LENGTH(fields));
}

enum exit_code whitelist_command_preview(struct cli *cli) {
    static const struct request_field fields[] = {REQUEST_FIELD("draft", "draft_id")};
    ProtobufCMessage *request = calls_new_request(cli, RPC_PREVIEW_WHITELIST);
    struct whitelist_ids ids;
    enum exit_code code = whitelist_ids_find(cli, &ids);
    if (code != EXIT_CODE_DONE)
        return code;
    set_settings(cli, request);
    request_set(cli, request, fields, ARRAY_LENGTH(fields));
    cli_must(field_set_texts(&cli->arena, request, "entries_removed", ids.texts, ids.count));
    return answer_call(cli, RPC_PREVIEW_WHITELIST, request, print);
}
