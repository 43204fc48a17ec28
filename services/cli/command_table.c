// Every command of `latchkey` and its options.
#include "services/cli/bootstrap_command.h"
#include "services/cli/command.h"
#include "services/cli/migrate_command.h"
#include "services/cli/plain_command.h"

#define TABLE(options) \
    { (options), ARRAY_LENGTH(options) }

#define FLAG(name_, help_) \
    { .name = (name_), .type = OPTION_FLAG, .help = (help_) }
#define VALUE(type_, name_, value_, help_) \
    { .name = (name_), .type = OPTION_##type_, .value_name = (value_), .help = (help_) }

static const struct option common_options[] = {
    FLAG("json", "Prints JSON for programs, errors too."),
    VALUE(TEXT, "address", "HOST:PORT", "The server, or unix:/PATH, in place of LATCHKEY_ADDRESS."),
    VALUE(TEXT, "token-file", "FILE", "Your token's file, in place of LATCHKEY_TOKEN; - is standard input."),
    FLAG("operator", "Calls with LATCHKEY_OPERATOR_TOKEN in place of LATCHKEY_TOKEN."),
    VALUE(TEXT, "company", "COMPANY-ID", "Acts for another company, as an operator may."),
    VALUE(DURATION, "timeout", "TIME", "How long a call may take, such as 5s."),
    FLAG("help", "Says what the command does."),
    FLAG("version", "Prints the version, in place of a command."),
};
const struct option_table command_common_options = TABLE(common_options);

#define DATABASE_OPTIONS                                                                              \
    VALUE(TEXT, "database-url", "URL",                                                                \
          "PostgreSQL, in place of LATCHKEY_DATABASE_URL. The password belongs into PGPASSWORD or a " \
          "passfile."),                                                                               \
        VALUE(TEXT, "database-direct-url", "URL",                                                     \
              "The same past a pooler, in place of LATCHKEY_DATABASE_DIRECT_URL.")

static const struct option migrate_options[] = {
    DATABASE_OPTIONS,
    VALUE(TEXT, "permissions-file", "FILE",
          "Makes the deployment's part of the permission catalogue what the file says: a name and a "
          "description on each line. - is standard input."),
};

static const struct option bootstrap_options[] = {
    DATABASE_OPTIONS,
    FLAG("demo", "Makes a demo company and its administrator's token, too."),
    FLAG("rotate", "Gives the tokens of the first bootstrap new secrets; the old ones are dead."),
    VALUE(TEXT, "env-file", "FILE",
          "Writes address and secrets to a new file of mode 0600, for a shell to source, and shows none."),
    VALUE(TEXT, "email", "EMAIL", "The operator's e-mail address (operator@localhost)."),
    VALUE(TEXT, "brand", "LETTERS", "The two letters that secrets begin with, those of the servers (lk)."),
};

const struct command command_table[] = {
    {"migrate", NULL, NULL, 0, 0, "Brings a database to this version's schema",
     "Safe to repeat, beside running servers, and by several at once.\n\n"
     "  latchkey migrate --permissions-file permissions.txt",
     TABLE(migrate_options), migrate_command_run},
    {"bootstrap", NULL, NULL, 0, 0, "Makes the operator's company and token, once",
     "With --address, the env file names that server.\n\n"
     "  latchkey bootstrap --env-file operator.env",
     TABLE(bootstrap_options), bootstrap_command_run},
    {"help",
     NULL,
     "[COMMAND...]",
     0,
     2,
     "Says what there is, or what a command does",
     NULL,
     {NULL, 0},
     plain_command_help},
    {"version", NULL, NULL, 0, 0, "Prints the version", NULL, {NULL, 0}, plain_command_version},
    {"completion",
     NULL,
     "bash",
     1,
     1,
     "Prints a completion script for a shell",
     "  source <(latchkey completion bash)",
     {NULL, 0},
     plain_command_completion},
};
const size_t command_count = ARRAY_LENGTH(command_table);
