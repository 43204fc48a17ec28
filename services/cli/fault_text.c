#include "services/cli/fault_text.h"

#include <stdlib.h>
#include <string.h>

#include "services/cli/calls.h"
#include "services/cli/terminal.h"

#define ENTRIES BYTES_LITERAL("entries")

// Fields whose option has another name.
static const struct {
    const char *field, *option;
} renamed[] = {
    {"administrator-email", "administrator"},
    {"allowed-domains", "domain"},
    {"contains-ip", "contains"},
    {"draft-id", "draft"},
    {"expire-in", "expires-in"},
};

// ---- fields ----

// "allowed_ips" is --allowed-ip, and so is "access_token.allowed_ips"; NULL where the command has no option
// of that name.
static const struct option *find_option(struct cli *cli, struct bytes field) {
    struct bytes rest = field;
    while (rest.data) {
        field = rest;
        (void)bytes_split(&rest, '.');
    }
    char *name = cli_need(arena_copy_bytes(&cli->arena, field));
    for (char *at = name; *at; at++)
        if (*at == '_')
            *at = '-';
    for (size_t i = 0; i < ARRAY_LENGTH(renamed); i++)
        if (strcmp(name, renamed[i].field) == 0)
            return option_find(&cli->command->options, 1, renamed[i].option);
    const struct option *option = option_find(&cli->command->options, 1, name);
    size_t len = strlen(name);
    if (option || len == 0 || name[len - 1] != 's')
        return option;
    name[len - 1] = '\0';
    return option_find(&cli->command->options, 1, name);
}

// The element of a list at `index`, which is text such as "3].address" or nothing; NULL if there is none.
static const char *find_typed(const char *const *typed, size_t count, struct bytes index) {
    uint64_t number;
    struct bytes digits = bytes_split(&index, ']');
    return bytes_parse_unsigned(digits, INT64_MAX, &number) && number < count ? typed[number] : NULL;
}

// What was typed for the field at `path`; the path itself where that can't be told.
static const char *name_field(struct cli *cli, const char *path) {
    struct bytes index = bytes_of_text(path), field = bytes_split(&index, '[');
    const struct options *options = &cli->options;
    if (bytes_is_equal(field, ENTRIES) && options->argument_count > 0) {
        const char *argument = find_typed(options->arguments, options->argument_count, index);
        return argument ? argument : path;
    }
    const struct option *option = find_option(cli, field);
    if (!option)
        return path;
    if (option->type != OPTION_LIST || !index.data)
        return cli_format(cli, "--%s", option->name);
    size_t count;
    const char **typed = cli_need(options_get_list(options, option->name, &cli->arena, &count));
    const char *value = find_typed(typed, count, index);
    return value ? cli_format(cli, "--%s %s", option->name, value) : path;
}

// ---- hints ----

// The first that fits, by the reason and by words of what is said: those of our own client, and those of the
// contract that are other words on the command line. NULL = any.
static const struct {
    const char *reason, *words, *hint;
} hints[] = {
    {"NOT_REACHABLE", NULL,
     "is latchkeyd running? start it, or name another server with LATCHKEY_ADDRESS or --address"},
    {"CONNECT_TIMEOUT", NULL, "check the address (LATCHKEY_ADDRESS or --address) and the firewalls between"},
    {"COMPANY_IP_NOT_LISTED", NULL,
     "call from a listed address, or let the operator change the list, with --operator --company COMPANY-ID"},
    {"NAME_NOT_FOUND", NULL, "check LATCHKEY_ADDRESS or --address"},
    {"TLS_FAILED", "not speak TLS",
     "--tls off asks without TLS; else check LATCHKEY_ADDRESS or --address, and whether the server has a "
     "certificate (its --tls-certificate and --tls-key)"},
    {"TLS_FAILED", NULL,
     "--tls-ca names who vouches for the server, --tls-server-name whom its certificate must name, and "
     "--tls-certificate yours"},
    {"TLS_REQUIRED", NULL, "--tls on speaks TLS, and so does an address that begins with https://"},
    {"PLAINTEXT_REFUSED", NULL,
     "speak TLS with --tls on, or where something between encrypts say --allow-plaintext"},
    {"NOT_GRPC", NULL,
     "check LATCHKEY_ADDRESS or --address: latchkeyd serves gRPC on port 7070 and its admin pages on 7071; "
     "--tls on speaks TLS"},
    {NULL, "set force", "with --force it is done all the same"},
    {NULL, "ListPermissions", "`latchkey permissions` lists them"},
    {NULL, "set supersede", "--supersede does that"},
    {NULL, "CHANNEL_UI", "--channel ui says so when a token is made"},
    {NULL, "latchkey-company", "it came from --company or LATCHKEY_COMPANY"},
    {NULL, "type true", "say --company-owned"},
};

static bool is_said(const struct fault *fault, const char *words) {
    for (const struct fault_field *field = fault->fields; field; field = field->next)
        if (strstr(field->description, words))
            return true;
    return strstr(fault_text_get_message(fault), words) != NULL;
}

static bool is_of_reason(const struct fault *fault, const char *reason) {
    return fault->reason && strcmp(fault->reason, reason) == 0;
}

static const char *find_hint(struct cli *cli, const struct fault *fault) {
    bool is_operator = options_has(&cli->options, "operator");
    if (is_operator && is_of_reason(fault, "COMPANY_IP_NOT_LISTED"))
        return "as the operator you can change the list, or `latchkey whitelist disable` it";
    for (size_t i = 0; i < ARRAY_LENGTH(hints); i++)
        if ((!hints[i].reason || is_of_reason(fault, hints[i].reason)) &&
            (!hints[i].words || is_said(fault, hints[i].words)))
            return hints[i].hint;
    if (fault->status == STATUS_UNAUTHENTICATED)
        return calls_describe_token(cli);
    if (fault->status == STATUS_UNIMPLEMENTED)
        return "this server does not serve it; check LATCHKEY_ADDRESS, or the server's version";
    return NULL;
}

// ---- the whole ----

const char *fault_text_get_message(const struct fault *fault) {
    return fault->message && fault->message[0] ? fault->message : status_get_text(fault->status);
}

// Servers repeat the only bad field in the message, which says nothing new then.
static bool is_only_field(const struct fault *fault) {
    return fault->fields && !fault->fields->next &&
           strstr(fault_text_get_message(fault), fault->fields->description);
}

void fault_text_print(struct cli *cli, const struct fault *fault) {
    struct arena *arena = &cli->arena;
    const struct fault_field *fields = fault->fields;
    const char *message = fault_text_get_message(fault);
    if (is_only_field(fault)) {
        message = cli_format(cli, "%s: %s", name_field(cli, fields->field), fields->description);
        fields = NULL;
    }
    fprintf(cli->err, "latchkey: %s", terminal_clean(arena, message));
    if (fault->reason)
        fprintf(cli->err, " [%s]", terminal_clean(arena, fault->reason));
    fputc('\n', cli->err);
    for (const struct fault_field *field = fields; field; field = field->next)
        fprintf(cli->err, "  %s: %s\n", terminal_clean(arena, name_field(cli, field->field)),
                terminal_clean(arena, field->description));
    if (fault->retry_after_ms > 0)
        fprintf(cli->err, "  try again in %u ms\n", (unsigned)fault->retry_after_ms);
    const char *hint = find_hint(cli, fault);
    if (hint)
        fprintf(cli->err, "  %s\n", terminal_clean(arena, hint));
}
