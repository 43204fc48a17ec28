// `latchkey audit verify`: the chain walked from its beginning, in as many calls as it takes, and compared
// with the heads that were exported.
#include <inttypes.h>
#include <string.h>

#include "common/base/hex.h"
#include "common/base/typeid.h"
#include "common/protobuf/field.h"
#include "services/cli/answer.h"
#include "services/cli/audit_command.h"
#include "services/cli/audit_heads.h"
#include "services/cli/calls.h"
#include "services/cli/json_print.h"
#include "services/cli/terminal.h"

#define HEADS_IN_A_CALL 10000

struct walk {
    struct audit_heads heads;
    size_t sent; // heads that the calls so far have compared
    int64_t checked;
    const ProtobufCMessage *answer; // the last one
};

// ---- the heads of the file ----

static enum exit_code find_company(struct cli *cli, struct uuid *ret_company_id) {
    const char *text = options_find_text(&cli->options, "company");
    const ProtobufCMessage *response;
    if (!text) {
        enum exit_code code = calls_make(cli, RPC_GET_CALLER, CALLS_WITH_TOKEN,
                                         calls_new_request(cli, RPC_GET_CALLER), &response);
        if (code != EXIT_CODE_DONE)
            return code;
        text = field_get_text(field_find_message(response, "caller"), "company_id");
    }
    if (!typeid_parse(bytes_of_text(text), TYPEID_COMPANY, ret_company_id))
        return cli_fail(cli, EXIT_CODE_USAGE, "%s is no company's id, such as cmp_01h455vb4pex5vsknk084sn02q",
                        text);
    return EXIT_CODE_DONE;
}

static enum exit_code read_heads(struct cli *cli, struct audit_heads *ret_heads) {
    const char *path = options_find_text(&cli->options, "heads");
    struct uuid company_id;
    if (!path)
        return EXIT_CODE_DONE;
    enum exit_code code = find_company(cli, &company_id);
    if (code == EXIT_CODE_DONE)
        code = audit_heads_read(cli, path, company_id, ret_heads);
    if (code != EXIT_CODE_DONE)
        return code;
    if (ret_heads->unread > 0)
        fprintf(cli->err, "latchkey: %s: lines that are no heads, passed over: %zu\n", path,
                ret_heads->unread);
    if (ret_heads->count == 0)
        return cli_fail(cli, EXIT_CODE_USAGE, "%s has no head of %s", path,
                        typeid_of(TYPEID_COMPANY, company_id).text);
    return EXIT_CODE_DONE;
}

// ---- the walk ----

static size_t min(size_t a, size_t b) {
    return a < b ? a : b;
}

// The heads from `from` on; if they are more than one call takes, it walks up to the last that it has.
static void add_heads(struct cli *cli, ProtobufCMessage *request, struct walk *walk, int64_t from) {
    struct audit_heads *heads = &walk->heads;
    while (walk->sent < heads->count && heads->lines[walk->sent].number < from)
        walk->sent++;
    size_t rest = heads->count - walk->sent, count = min(rest, HEADS_IN_A_CALL);
    const struct audit_head_line *lines = heads->lines + walk->sent;
    ProtobufCMessage **messages;
    if (count == 0)
        return;
    if (count < rest && lines[count - 1].number > from)
        cli_must(field_set_integer(request, "max_events", lines[count - 1].number - from));
    cli_must(field_set_messages(&cli->arena, request, "known_heads", count, &messages));
    for (size_t i = 0; i < count; i++) {
        cli_must(field_set_integer(messages[i], "sequence", lines[i].number));
        cli_must(
            field_set_bytes(&cli->arena, messages[i], "hash", bytes_of(lines[i].hash.bytes, DIGEST_LENGTH)));
    }
}

static ProtobufCMessage *make_request(struct cli *cli, struct walk *walk) {
    ProtobufCMessage *request = calls_new_request(cli, RPC_VERIFY_AUDIT_LOG);
    int64_t from = walk->answer ? field_get_integer(walk->answer, "next_sequence")
                                : options_get_number(&cli->options, "from", 1);
    cli_must(field_set_integer(request, "from_sequence", from));
    if (walk->answer)
        cli_must(field_set_bytes(&cli->arena, request, "previous_hash",
                                 field_get_bytes(walk->answer, "next_previous_hash")));
    add_heads(cli, request, walk, from);
    return request;
}

static enum exit_code walk_chain(struct cli *cli, struct walk *walk) {
    do {
        enum exit_code code =
            calls_make(cli, RPC_VERIFY_AUDIT_LOG, CALLS_WITH_TOKEN, make_request(cli, walk), &walk->answer);
        if (code != EXIT_CODE_DONE)
            return code;
        walk->checked += field_get_integer(walk->answer, "events_checked");
    } while (field_get_integer(walk->answer, "next_sequence") > 0);
    return EXIT_CODE_DONE;
}

// ---- what is said ----

static void print_broken(struct cli *cli, const struct walk *walk) {
    const char *event_id = field_get_text(walk->answer, "broken_event_id");
    terminal_print(cli->out, TERMINAL_RED, "BROKEN");
    fprintf(cli->out, " at event %" PRId64 "%s%s: %s\n", field_get_integer(walk->answer, "broken_sequence"),
            *event_id ? " " : "", event_id, field_get_text(walk->answer, "detail"));
}

static void print_intact(struct cli *cli, const struct walk *walk) {
    char hash[2 * DIGEST_LENGTH + 1];
    hex_format(field_get_bytes(walk->answer, "head_hash"), hash);
    terminal_print(cli->out, TERMINAL_GREEN, "INTACT");
    fprintf(cli->out, " events: %" PRId64, walk->checked);
    if (walk->heads.count > 0)
        fprintf(cli->out, ", exported heads that agree: %zu", walk->heads.count);
    fprintf(cli->out, "\nhead: %" PRId64 " %s\n", field_get_integer(walk->answer, "head_sequence"), hash);
}

enum exit_code audit_command_verify(struct cli *cli) {
    struct walk walk = {0};
    enum exit_code code = read_heads(cli, &walk.heads);
    if (code == EXIT_CODE_DONE)
        code = walk_chain(cli, &walk);
    if (code != EXIT_CODE_DONE)
        return code;
    bool is_intact = field_get_integer(walk.answer, "intact");
    if (cli->is_json) {
        json_t *json = answer_to_json(cli, walk.answer);
        json_object_set_new(json, "events_checked", json_integer(walk.checked));
        json_print(json, cli->out);
    } else if (is_intact) {
        print_intact(cli, &walk);
    } else {
        print_broken(cli, &walk);
    }
    return is_intact ? EXIT_CODE_DONE : EXIT_CODE_NO;
}
