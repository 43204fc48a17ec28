// `latchkey audit list`.
#include "services/cli/audit_command.h"

#include <inttypes.h>

#include "common/protobuf/field.h"
#include "services/cli/answer.h"
#include "services/cli/calls.h"
#include "services/cli/request.h"
#include "services/cli/table.h"
#include "services/cli/watch.h"

#define PAGE_SIZE_MAX 1000
#define LIMIT_DEFAULT 100

static ProtobufCMessage *make_request(struct cli *cli) {
    static const struct request_field filters[] = {
        REQUEST_FIELD("member", "member_id"), REQUEST_FIELD("token", "token_id"),
        REQUEST_FIELD("action", "action"),    REQUEST_FIELD("object", "object_id"),
        REQUEST_FIELD("since", "since"),      REQUEST_FIELD("until", "until"),
    };
    ProtobufCMessage *request = calls_new_request(cli, RPC_LIST_AUDIT_EVENTS);
    request_set(cli, request, filters, ARRAY_LENGTH(filters));
    return request;
}

// The member by name; else what there is.
static const char *name_actor(struct cli *cli, const ProtobufCMessage *actor) {
    const char *const names[] = {field_get_text(actor, "email"), field_get_text(actor, "member_id"),
                                 field_get_text(actor, "token_id"), field_get_text(actor, "system")};
    const char *name = "nobody known";
    for (size_t i = ARRAY_LENGTH(names); i-- > 0;)
        if (*names[i])
            name = names[i];
    return *field_get_text(actor, "operator_company_id") ? cli_format(cli, "%s (operator)", name) : name;
}

static const char *describe_change(struct cli *cli, const ProtobufCMessage *event) {
    const char *before = field_get_text(event, "before"), *after = field_get_text(event, "after");
    if (!*before || !*after)
        return *before ? cli_format(cli, "%s ->", before) : after;
    return cli_format(cli, "%s -> %s", before, after);
}

static void add_event(struct answer_list *list, const ProtobufCMessage *event) {
    struct cli *cli = list->cli;
    int64_t count = field_get_integer(event, "count");
    const char *action = field_get_text(event, "action");
    table_add(list->table, (const char *const[]){
                               cli_format(cli, "%" PRId64, field_get_integer(event, "sequence")),
                               answer_get_time(cli, event, "at", ""),
                               count > 1 ? cli_format(cli, "%s x %" PRId64, action, count) : action,
                               field_get_text(event, "object_id"),
                               name_actor(cli, field_find_message(event, "actor")),
                               field_get_text(event, "client_ip"),
                               describe_change(cli, event),
                           });
}

// Pages until there are as many events as are wanted: a log may be long.
static enum exit_code list_events(struct cli *cli, struct answer_list *list) {
    size_t wanted = (size_t)options_get_number(&cli->options, "limit", LIMIT_DEFAULT);
    ProtobufCMessage *request = make_request(cli);
    const ProtobufCMessage *page;
    const char *token = "";
    do {
        size_t rest = wanted - list->count;
        cli_must(
            field_set_integer(request, "page_size", (int64_t)(rest < PAGE_SIZE_MAX ? rest : PAGE_SIZE_MAX)));
        cli_must(field_set_text(&cli->arena, request, "page_token", token));
        enum exit_code code = calls_make(cli, RPC_LIST_AUDIT_EVENTS, CALLS_WITH_TOKEN, request, &page);
        if (code != EXIT_CODE_DONE)
            return code;
        answer_list_on_page(list, page);
        token = field_get_text(page, "next_page_token");
    } while (*token && list->count < wanted);
    return EXIT_CODE_DONE;
}

static enum exit_code print_list(struct cli *cli) {
    static const char *const headings[] = {"NUMBER", "TIME", "ACTION", "OBJECT", "WHO", "FROM", "CHANGE"};
    struct table table;
    struct answer_list list;
    table_init(&table, &cli->arena, headings, ARRAY_LENGTH(headings));
    answer_list_init(&list, cli, "events", &table, add_event);
    enum exit_code code = list_events(cli, &list);
    if (code == EXIT_CODE_DONE)
        answer_list_print(&list, "there are no such events");
    answer_list_fini(&list);
    return code;
}

enum exit_code audit_command_list(struct cli *cli) {
    return watch_run(cli, print_list);
}
