#include "services/cli/bootstrap_command.h"

#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "common/base/typeid.h"
#include "services/cli/bootstrap.h"
#include "services/cli/calls.h"
#include "services/cli/env_text.h"
#include "services/cli/json_print.h"
#include "services/cli/secret_text.h"
#include "services/cli/sql.h"
#include "services/cli/table.h"

#define DEFAULT_BRAND "lk"
#define DEFAULT_EMAIL "operator@latchkey.example"
#define NO_FILE (-1)

struct run {
    struct bootstrap_request request;
    struct bootstrap_result result;
};

static enum status work(struct db_transaction *transaction, struct fault *fault, void *context) {
    struct run *run = context;
    return bootstrap_run(transaction, fault, &run->request, &run->result);
}

static enum exit_code read_request(struct cli *cli, struct bootstrap_request *ret_request) {
    const struct options *options = &cli->options;
    const char *brand = options_find_text(options, "brand"), *email = options_find_text(options, "email");
    if (!brand)
        brand = cli_get_variable(cli, "LATCHKEY_BRAND");
    struct bootstrap_request request = {
        .arena = &cli->arena,
        .mode = options_has(options, "rotate") ? BOOTSTRAP_ROTATE : BOOTSTRAP_FIRST,
        .with_demo = options_has(options, "demo"),
        .brand = brand ? brand : DEFAULT_BRAND,
        .email = email ? email : DEFAULT_EMAIL,
    };
    if (!secret_brand_is_valid(bytes_of_text(request.brand)))
        return cli_fail(
            cli, EXIT_CODE_USAGE,
            "--brand is \"%s\", but must be two lower-case letters such as lk, those of the servers",
            request.brand);
    if (!strchr(request.email, '@') || strlen(request.email) > 254)
        return cli_fail(cli, EXIT_CODE_USAGE,
                        "--email is \"%s\", but must be an e-mail address such as operator@example.com",
                        request.email);
    *ret_request = request;
    return EXIT_CODE_DONE;
}

// The lines that other runs of `latchkey` read. Where the four servers have addresses of their own, those are
// named in place of one that nobody may serve.
static const char *format_env(struct cli *cli, const struct run *run) {
    struct env_variable variables[RPC_SERVER_COUNT + 3];
    size_t count = 0;
    const char *address = options_find_text(&cli->options, "address");
    for (int i = 0; i < RPC_SERVER_COUNT && !address; i++) {
        const char *name = calls_get_address_variable((enum rpc_server)i),
                   *value = cli_get_variable(cli, name);
        if (value)
            variables[count++] = (struct env_variable){name, value};
    }
    if (!address)
        address = cli_get_variable(cli, "LATCHKEY_ADDRESS");
    if (address || count < RPC_SERVER_COUNT)
        variables[count++] =
            (struct env_variable){"LATCHKEY_ADDRESS", address ? address : CALLS_DEFAULT_ADDRESS};
    if (run->request.with_demo)
        variables[count++] = (struct env_variable){"LATCHKEY_TOKEN", run->result.demo.secret.text};
    variables[count++] = (struct env_variable){"LATCHKEY_OPERATOR_TOKEN", run->result.operator.secret.text };
    return cli_need(env_text_format(&cli->arena, variables, count));
}

static json_t *identity_to_json(const struct bootstrap_identity *identity, bool with_secret) {
    json_t *json =
        json_pack("{s:s, s:s, s:s}", "company_id", typeid_of(TYPEID_COMPANY, identity->company_id).text,
                  "member_id", typeid_of(TYPEID_MEMBER, identity->member_id).text, "token_id",
                  typeid_of(TYPEID_TOKEN, identity->token_id).text);
    if (with_secret)
        json_object_set_new(json, "secret", json_string(identity->secret.text));
    return json;
}

static void print_json(const struct run *run, const char *env_file) {
    json_t *json = json_pack("{s:o}", "operator", identity_to_json(&run->result.operator, !env_file));
    if (run->request.with_demo)
        json_object_set_new(json, "demo", identity_to_json(&run->result.demo, !env_file));
    if (env_file)
        json_object_set_new(json, "env_file", json_string(env_file));
    json_print(json, stdout);
}

static void add_identity(struct cli *cli, struct table *table, const char *name,
                         const struct bootstrap_identity *identity) {
    table_add(table, (const char *const[]){
                         name, cli_format(cli, "%s", typeid_of(TYPEID_COMPANY, identity->company_id).text),
                         cli_format(cli, "%s", typeid_of(TYPEID_MEMBER, identity->member_id).text),
                         cli_format(cli, "%s", typeid_of(TYPEID_TOKEN, identity->token_id).text)});
}

static void print(struct cli *cli, const struct run *run, const char *env_file, const char *env) {
    static const char *const headings[] = {"WHO", "COMPANY", "MEMBER", "TOKEN"};
    struct table table;
    table_init(&table, &cli->arena, headings, ARRAY_LENGTH(headings));
    add_identity(cli, &table, "operator", &run->result.operator);
    if (run->request.with_demo)
        add_identity(cli, &table, "demo", &run->result.demo);
    table_print(&table, TABLE_UNCUT, cli->out);
    if (env_file)
        fprintf(cli->out, "\nTheir secrets are in %s. To use them: set -a; source %s; set +a\n", env_file,
                env_file);
    else
        fprintf(cli->out, "\nThese secrets are shown this once:\n\n%s\n", env);
}

static enum exit_code finish(struct cli *cli, const struct run *run, const char *env_file, int fd) {
    const char *env = format_env(cli, run);
    if (env_file) {
        enum exit_code code = secret_text_write_file(cli, env_file, fd, env, "run it again with --rotate");
        if (code != EXIT_CODE_DONE)
            return code;
    }
    if (cli->is_json)
        print_json(run, env_file);
    else
        print(cli, run, env_file, env);
    return EXIT_CODE_DONE;
}

static enum exit_code make(struct cli *cli, struct run *run) {
    struct db_connection *connection;
    enum exit_code code = sql_open(cli, &connection);
    if (code != EXIT_CODE_DONE)
        return code;
    code = sql_check_schema(cli, connection);
    if (code == EXIT_CODE_DONE)
        code = sql_run(cli, connection, work, run);
    db_connection_close(connection);
    return code;
}

enum exit_code bootstrap_command_run(struct cli *cli) {
    struct run run = {0};
    enum exit_code code = read_request(cli, &run.request);
    if (code != EXIT_CODE_DONE)
        return code;
    const char *env_file = options_find_text(&cli->options, "env-file");
    int fd = NO_FILE;
    if (env_file && !secret_text_create_file(cli, env_file, &fd, &code))
        return code;
    code = make(cli, &run);
    if (code == EXIT_CODE_DONE)
        code = finish(cli, &run, env_file, fd);
    else if (env_file)
        secret_text_discard_file(env_file, fd);
    secret_wipe(&run.result, sizeof(run.result));
    return code;
}
