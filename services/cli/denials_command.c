#include "services/cli/denials_command.h"

#include <inttypes.h>

#include "common/protobuf/field.h"
#include "services/cli/answer.h"
#include "services/cli/request.h"
#include "services/cli/watch.h"

static void add_denial(struct answer_list *list, const ProtobufCMessage *denial) {
    struct cli *cli = list->cli;
    table_add(list->table, (const char *const[]){
                               answer_get_time(cli, denial, "last_at", ""),
                               cli_format(cli, "%" PRId64, field_get_integer(denial, "count")),
                               answer_get_word(cli, denial, "reason", "REASON_"),
                               field_get_text(denial, "token_id"),
                               field_get_text(denial, "client_ip"),
                               field_get_text(denial, "domain"),
                               answer_get_time(cli, denial, "first_at", ""),
                           });
}

static enum exit_code list(struct cli *cli) {
    static const char *const headings[] = {"LAST", "COUNT", "REASON", "TOKEN", "ADDRESS", "DOMAIN", "FIRST"};
    static const struct answer_listing listing = {
        "denials", headings, ARRAY_LENGTH(headings), add_denial, "this validator remembers no refusals",
        NULL};
    static const struct request_field filters[] = {REQUEST_FIELD("company", "company_id"),
                                                   REQUEST_WORDS("reason", "reason", "REASON_")};
    ProtobufCMessage *request = calls_new_request(cli, RPC_LIST_DENIALS);
    request_set(cli, request, filters, ARRAY_LENGTH(filters));
    return answer_call_list(cli, RPC_LIST_DENIALS, request, &listing);
}

enum exit_code denials_command_run(struct cli *cli) {
    return watch_run(cli, list);
}
