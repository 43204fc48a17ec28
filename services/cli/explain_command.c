#include "services/cli/explain_command.h"

#include "common/protobuf/field.h"
#include "services/cli/answer.h"
#include "services/cli/calls.h"
#include "services/cli/question.h"
#include "services/cli/request.h"

// The first check that fails is the reason; the ones behind it are looked at all the same.
static void print_steps(struct cli *cli, const ProtobufCMessage *explanation) {
    struct table table;
    table_init(&table, &cli->arena, NULL, 3);
    for (size_t i = 0; i < field_get_count(explanation, "steps"); i++) {
        const ProtobufCMessage *step = field_get_message_at(explanation, "steps", i);
        table_add(&table, (const char *const[]){field_get_integer(step, "passed") ? "ok" : "FAILS",
                                                answer_get_word(cli, step, "check", "REASON_"),
                                                field_get_text(step, "detail")});
    }
    table_print(&table, TABLE_UNCUT, cli->out);
}

// "203.0.113.0/24 of the company's list".
static void add_entry(struct cli *cli, struct table *table, const ProtobufCMessage *explanation,
                      const char *name, const char *field) {
    const ProtobufCMessage *entry = field_find_message(explanation, field);
    if (!entry)
        return;
    const char *cidr = field_get_text(entry, "cidr"), *domain = field_get_text(entry, "domain");
    table_add_property(table, name,
                       cli_format(cli, "%s%s of the %s list", cidr, domain,
                                  answer_get_word(cli, entry, "list", "LIST_KIND_")));
}

static void print(struct cli *cli, const ProtobufCMessage *explanation) {
    struct table table;
    question_print_decision(cli, field_find_message(explanation, "response"));
    print_steps(cli, explanation);
    table_init(&table, &cli->arena, NULL, 2);
    add_entry(cli, &table, explanation, "let in by", "matched_entry");
    add_entry(cli, &table, explanation, "nearest", "nearest_miss");
    table_print(&table, TABLE_UNCUT, cli->out);
}

static enum exit_code set_token(struct cli *cli, ProtobufCMessage *request, ProtobufCMessage *question) {
    if (cli->options.argument_count == 0)
        return question_set_secret(cli, question, "name it by its TOKEN-ID, or ");
    if (options_has(&cli->options, "secret-file"))
        return cli_fail(cli, EXIT_CODE_USAGE, "name the token in one way: TOKEN-ID, or --secret-file");
    request_set_argument(cli, request, "token_id");
    return EXIT_CODE_DONE;
}

enum exit_code explain_command_run(struct cli *cli) {
    ProtobufCMessage *request = calls_new_request(cli, RPC_EXPLAIN), *question;
    const ProtobufCMessage *explanation;
    cli_must(field_set_message(&cli->arena, request, "request", &question));
    enum exit_code code = set_token(cli, request, question);
    if (code == EXIT_CODE_DONE)
        code = question_set(cli, question);
    if (code == EXIT_CODE_DONE)
        code = calls_make(cli, RPC_EXPLAIN, CALLS_WITH_TOKEN, request, &explanation);
    if (code != EXIT_CODE_DONE)
        return code;
    if (cli->is_json)
        answer_print_json(cli, explanation);
    else
        print(cli, explanation);
    return question_is_allowed(field_find_message(explanation, "response")) ? EXIT_CODE_DONE : EXIT_CODE_NO;
}
