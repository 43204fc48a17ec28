// Commands around the services: setting up, who calls, the catalogue, asking a validator, and help.
#include "services/cli/bootstrap_command.h"
#include "services/cli/caller_command.h"
#include "services/cli/command_rows.h"
#include "services/cli/denials_command.h"
#include "services/cli/doctor_command.h"
#include "services/cli/explain_command.h"
#include "services/cli/migrate_command.h"
#include "services/cli/permissions_command.h"
#include "services/cli/plain_command.h"
#include "services/cli/recover_command.h"
#include "services/cli/validate_command.h"

static const char *const channel_choices[] = {"api", "ui", NULL};

static const struct option migrate_options[] = {
    DATABASE_OPTIONS,
    VALUE(WORD, "permissions-file", "FILE",
          "Makes the deployment's part of the permission catalogue what the file says: a name and a "
          "description on each line. - is standard input."),
    FLAG("drop-permissions",
         "Lets the file drop permissions: tokens and roles that were granted them lose them at once."),
};

static const struct option bootstrap_options[] = {
    DATABASE_OPTIONS,
    FLAG("demo", "Makes a demo company and its administrator's token, too."),
    FLAG(
        "rotate",
        "Gives the operator's token a new secret, with --demo the demo company's, too; the old ones are dead."),
    VALUE(WORD, "env-file", "FILE",
          "Writes address and secrets to a new file of mode 0600, for a shell to source, and shows none."),
    VALUE(WORD, "email", "EMAIL", "The operator's e-mail address (operator@latchkey.example)."),
    VALUE(WORD, "brand", "LETTERS",
          "The two letters that secrets begin with. Servers of another --brand call them malformed. (lk)"),
};

static const struct option recover_options[] = {
    DATABASE_OPTIONS,
    FLAG("redo", "Does again what ended somebody's access."),
    FLAG("accept-loss",
         "Accepts what is not done again as lost: validators then serve by the database as it is."),
    VALUE(WORD, "note", "TEXT", "Why, for the operator's audit log."),
    ASKING_OPTION,
};

static const struct option doctor_options[] = {
    DATABASE_OPTIONS,
    VALUE(LIST, "config", "FILE", "A file of settings of the servers; the later one wins."),
};

static const struct option permissions_set_options[] = {CHANGE_OPTIONS};

#define QUESTION_OPTIONS                                                                       \
    VALUE(WORD, "secret-file", "FILE",                                                         \
          "The token's file, in place of LATCHKEY_VALIDATE_TOKEN; - is standard input."),      \
        VALUE(WORD, "client-ip", "ADDRESS", "From where it was presented."),                   \
        VALUE(LIST, "permission", "PERMISSION", "What is asked for: all of them are needed."), \
        VALUE(LIST, "any-permission", "PERMISSION", "One of these is needed, too."),           \
        CHOICE("channel", "CHANNEL", "Where it was presented (api).", channel_choices),        \
        VALUE(WORD, "domain", "DOMAIN", "Host or origin of the page, with --channel ui."),     \
        VALUE(WORD, "min-revision", "REVISION", "Decides no earlier than this; every change answers one.")

static const struct option validate_options[] = {QUESTION_OPTIONS};

static const char *const reason_choices[] = {"malformed",
                                             "unknown",
                                             "company-suspended",
                                             "member-removed",
                                             "deactivated",
                                             "suspended",
                                             "not-yet-valid",
                                             "expired",
                                             "channel-not-allowed",
                                             "company-ip-not-listed",
                                             "member-ip-not-listed",
                                             "token-ip-not-listed",
                                             "domain-not-listed",
                                             "permission-missing",
                                             NULL};

static const struct option denials_options[] = {
    CHOICE("reason", "REASON", "Only those refused for this reason, such as expired.", reason_choices),
    LIMIT_OPTION,
    WATCH_OPTION,
};

static const struct command setup_rows[] = {
    {.noun = "migrate",
     .summary = "Brings a database to this version's schema",
     .details =
         "Safe to repeat, beside running servers, and by several at once. Without --permissions-file the catalogue\n"
         "stays as it is; a file that lacks permissions of the catalogue is refused without --drop-permissions.\n"
         "\n  latchkey migrate --permissions-file permissions.txt",
     .options = TABLE(migrate_options),
     .run = migrate_command_run},
    {.noun = "bootstrap",
     .summary = "Makes the operator's company and token, once",
     .details =
         "The env file names the server of --address or LATCHKEY_ADDRESS; with LATCHKEY_TOKEN_ADDRESS and the like it\n"
         "names those. --rotate without --demo leaves the token of the demo company as it is.\n"
         "\n  latchkey bootstrap --env-file operator.env",
     .options = TABLE(bootstrap_options),
     .run = bootstrap_command_run},
    {.noun = "recover",
     .summary = "After a restore or a lossy failover: what the database lost",
     .details =
         "Shows the changes that validators know and the database lacks; with neither option it changes nothing.\n"
         "Until they are settled no validator admits anybody. It is settled by --redo where only access has to be\n"
         "ended again, else by --accept-loss; both may be said at once. Exits with 1 while it is not.\n"
         "\n  latchkey recover --redo --note 'backup of Monday'",
     .options = TABLE(recover_options),
     .run = recover_command_run},
    {.noun = "doctor",
     .summary = "Looks at all that the servers rest on, and says what to do",
     .details =
         "The database and its settings, schema, lanes, validators, clocks, mail, certificates, whitelists that let\n"
         "nobody in. It changes nothing. The servers' settings are those of --config and of the environment, as the\n"
         "servers read them; --tls-ca is who vouches for their certificate. Exits with 1 where something has failed.\n"
         "\n  latchkey doctor --config /etc/latchkey/latchkey.conf --config /etc/latchkey/latchkeyd.conf",
     .options = TABLE(doctor_options),
     .run = doctor_command_run},
    {.noun = "caller", .summary = "Says who you are, and what you may do", .run = caller_command_show},
    {.noun = "permissions", .summary = "Lists what can be granted", .run = permissions_command_list},
    {.noun = "permissions",
     .verb = "set",
     ARGUMENTS("FILE", 1, 1),
     .summary = "Replaces the deployment's part of the catalogue, as the operator",
     .details =
         "The file has a name and a description on each line; - is standard input. A permission that is granted\n"
         "somewhere can't be dropped.\n"
         "\n  latchkey permissions set permissions.txt --operator",
     .options = TABLE(permissions_set_options),
     .run = permissions_command_set},
};
const struct command_list setup_commands = {setup_rows, ARRAY_LENGTH(setup_rows)};

static const struct command plain_rows[] = {
    {.noun = "validate",
     .summary = "Asks whether a token is admitted",
     .details =
         "Prints ALLOW, or DENY and the first check that failed; exits with 0 or 1.\n"
         "\n  latchkey validate --secret-file billing --client-ip 203.0.113.7 --permission charges.create",
     .options = TABLE(validate_options),
     .run = validate_command_run},
    {.noun = "explain",
     ARGUMENTS("[TOKEN-ID]", 0, 1),
     .summary = "Says why a token is admitted or refused, check by check",
     .details = "Asks as validate does, by the token's id or its secret, and leaves no trace. It needs\n"
                "latchkey.validate.explain, and tells about the own company's tokens only.\n"
                "\n  latchkey explain tok_01j... --client-ip 203.0.113.7 --permission charges.create",
     .options = TABLE(validate_options),
     .run = explain_command_run},
    {.noun = "denials",
     .summary = "Lists what a validator has refused lately, latest first",
     .details =
         "Each validator knows its own, a bounded number for each company. It needs latchkey.validate.denials.\n"
         "With --operator it shows as well what nobody's secret was; with --company another company's.\n"
         "\n  latchkey denials --reason token-ip-not-listed --watch",
     .options = TABLE(denials_options),
     .run = denials_command_run},
    {.noun = "help",
     .arguments = "[COMMAND...]",
     .max_arguments = 2,
     .summary = "Says what there is, or what a command does",
     .run = plain_command_help},
    {.noun = "version", .summary = "Prints the version", .run = plain_command_version},
    {.noun = "manual",
     .summary = "Prints the manual page",
     .details = "\n  latchkey manual | man -l -",
     .run = plain_command_manual},
    {.noun = "completion",
     .arguments = "bash",
     .min_arguments = 1,
     .max_arguments = 1,
     .summary = "Prints a completion script for a shell",
     .details = "\n  source <(latchkey completion bash)",
     .run = plain_command_completion},
};
const struct command_list plain_commands = {plain_rows, ARRAY_LENGTH(plain_rows)};
