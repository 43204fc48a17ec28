// `latchkey whitelist export`: what import takes, page by page, so that a list's length is no matter.
#include <inttypes.h>
#include <string.h>

#include "common/protobuf/field.h"
#include "services/cli/answer.h"
#include "services/cli/progress.h"
#include "services/cli/request.h"
#include "services/cli/whitelist_command.h"

struct export {
    struct cli *cli;
    uint64_t count;
    struct progress progress;
};

// ---- CSV ----

static bool needs_quotes(const char *text) {
    size_t len = strlen(text);
    return strpbrk(text, ",;\t\"\r\n") || (len > 0 && (text[0] == ' ' || text[len - 1] == ' '));
}

static void print_field(const char *text, FILE *to) {
    if (!needs_quotes(text)) {
        fputs(text, to);
        return;
    }
    fputc('"', to);
    for (; *text; text++)
        fprintf(to, *text == '"' ? "\"\"" : "%c", *text);
    fputc('"', to);
}

static void print_csv(struct cli *cli, const ProtobufCMessage *entry) {
    FILE *to = cli->out;
    print_field(field_get_text(entry, "address"), to);
    fprintf(to, ",%" PRId64 ",", field_get_integer(entry, "checking_bits"));
    print_field(field_get_text(entry, "note"), to);
    fputc(',', to);
    print_field(field_get_text(entry, "owner"), to);
    fprintf(to, ",%s,%s\n", answer_get_exact_time(cli, entry, "expires_at", ""),
            field_get_integer(entry, "disabled") ? "yes" : "");
}

// ---- JSON ----

// What is not empty.
static void set_text(json_t *json, const char *name, const char *text) {
    if (text[0])
        json_object_set_new(json, name, json_string(text));
}

static void print_json(struct cli *cli, const ProtobufCMessage *entry) {
    json_t *json = cli_need(json_object());
    set_text(json, "address", field_get_text(entry, "address"));
    json_object_set_new(json, "bits", json_integer(field_get_integer(entry, "checking_bits")));
    set_text(json, "note", field_get_text(entry, "note"));
    set_text(json, "owner", field_get_text(entry, "owner"));
    set_text(json, "expires", answer_get_exact_time(cli, entry, "expires_at", ""));
    if (field_get_integer(entry, "disabled"))
        json_object_set_new(json, "disabled", json_true());
    json_dumpf(json, cli->out, JSON_COMPACT);
    json_decref(json);
}

// ---- the whole ----

// Not before the first page is there: what fails leaves nothing that looks like a list.
static void print_head(const struct export *export) {
    if (export->count == 0)
        fputs(export->cli->is_json ? "[" : "address,bits,note,owner,expires,disabled\n", export->cli->out);
}

static size_t print_page(void *context, const ProtobufCMessage *page) {
    struct export *export = context;
    struct cli *cli = export->cli;
    size_t count = field_get_count(page, "entries");
    print_head(export);
    for (size_t i = 0; i < count; i++) {
        const ProtobufCMessage *entry = field_get_message_at(page, "entries", i);
        if (!cli->is_json) {
            print_csv(cli, entry);
            continue;
        }
        fputs(export->count + i > 0 ? ",\n" : "\n", cli->out);
        print_json(cli, entry);
    }
    export->count += count;
    progress_show(&export->progress, export->count);
    return count;
}

enum exit_code whitelist_command_export(struct cli *cli) {
    static const struct request_field fields[] = {REQUEST_FIELD("draft", "draft_id")};
    struct export export = {.cli = cli};
    ProtobufCMessage *request = calls_new_request(cli, RPC_LIST_WHITELIST_ENTRIES);
    request_set(cli, request, fields, ARRAY_LENGTH(fields));
    progress_begin(&export.progress, cli, "exporting", 0);
    enum exit_code code = calls_stream_pages(cli, RPC_LIST_WHITELIST_ENTRIES, request, print_page, &export);
    progress_end(&export.progress);
    if (cli->is_json && code == EXIT_CODE_DONE)
        fputs("\n]\n", cli->out);
    return code;
}
