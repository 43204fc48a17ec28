// Every command of `latchkey` and its options.
#include "services/cli/audit_command.h"
#include "services/cli/bootstrap_command.h"
#include "services/cli/caller_command.h"
#include "services/cli/command.h"
#include "services/cli/company_command.h"
#include "services/cli/migrate_command.h"
#include "services/cli/plain_command.h"
#include "services/cli/token_command.h"
#include "services/cli/validate_command.h"
#include "services/cli/whitelist_command.h"

#define TABLE(options) \
    { (options), ARRAY_LENGTH(options) }

#define FLAG(name_, help_) \
    { .name = (name_), .type = OPTION_FLAG, .help = (help_) }
#define VALUE(type_, name_, value_, help_) \
    { .name = (name_), .type = OPTION_##type_, .value_name = (value_), .help = (help_) }

#define CHOICE(name_, value_, help_, choices_) \
    { .name = (name_), .type = OPTION_CHOICE, .value_name = (value_), .help = (help_), .choices = (choices_) }

static const char *const channel_choices[] = {"api", "ui", NULL};
static const char *const scope_choices[] = {"all", "logins", NULL};
static const char *const state_choices[] = {"active",  "suspended",     "deactivated",
                                            "expired", "not-yet-valid", NULL};
static const char *const reason_choices[] = {"leaked", "rotated", "unused", "policy", "other", NULL};

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
    FLAG("drop-permissions",
         "Lets the file drop permissions: tokens and roles that were granted them lose them at once."),
};

static const struct option bootstrap_options[] = {
    DATABASE_OPTIONS,
    FLAG("demo", "Makes a demo company and its administrator's token, too."),
    FLAG(
        "rotate",
        "Gives the operator's token a new secret, with --demo the demo company's, too; the old ones are dead."),
    VALUE(TEXT, "env-file", "FILE",
          "Writes address and secrets to a new file of mode 0600, for a shell to source, and shows none."),
    VALUE(TEXT, "email", "EMAIL", "The operator's e-mail address (operator@latchkey.example)."),
    VALUE(TEXT, "brand", "LETTERS",
          "The two letters that secrets begin with. Servers of another --brand call them malformed. (lk)"),
};

// Of every change.
#define CHANGE_OPTIONS                                                                                     \
    VALUE(DURATION, "wait", "TIME", "Waits until every validator knows it, at most so long, such as 5s."), \
        VALUE(TEXT, "request-id", "UUID", "Makes a repetition harmless: the same change is made once.")

static const struct option company_create_options[] = {
    VALUE(TEXT, "administrator", "EMAIL", "E-mail address of its first member. Required."),
    VALUE(TEXT, "external-id", "ID", "Its id in your own system, unique."),
    CHANGE_OPTIONS,
};

static const struct option token_create_options[] = {
    VALUE(TEXT, "label", "LABEL", "A name for people. Required."),
    VALUE(LIST, "permission", "PERMISSION",
          "What it may do: resource.action or resource.*; again for more, or with commas between."),
    VALUE(TEXT, "secret-file", "FILE",
          "Writes the secret to this new file of mode 0600, in place of showing it."),
    VALUE(DURATION, "expires-in", "TIME", "Ends it so long from now, such as 30d."),
    VALUE(TIME, "expires-at", "TIME", "Ends it then, such as 2027-01-31T18:00:00Z."),
    VALUE(TIME, "not-before", "TIME", "Is refused before then."),
    VALUE(LIST, "allowed-ip", "ADDRESS",
          "From where it may come, address or address/bits; default anywhere."),
    {.name = "channel",
     .type = OPTION_LIST,
     .value_name = "CHANNEL",
     .help = "Where it may be presented, api by default; again for both.",
     .choices = channel_choices},
    VALUE(LIST, "domain", "DOMAIN", "Domains that it may be used on, with --channel ui; default any."),
    FLAG("company-owned", "Makes it the company's own, so that it outlives its maker's membership."),
    VALUE(TEXT, "external-id", "ID", "Its id in your own system, unique in the company."),
    VALUE(TEXT, "description", "TEXT", "More for people."),
    VALUE(LIST, "metadata", "KEY=VALUE", "Free pairs, at most 16."),
    CHANGE_OPTIONS,
};

static const struct option token_list_options[] = {
    CHOICE("state", "STATE", "Only those in this state.", state_choices),
    VALUE(TEXT, "label", "TEXT", "Only those whose label holds this."),
    VALUE(TEXT, "permission", "PERMISSION", "Only those granted this."),
    VALUE(TEXT, "member", "MEMBER-ID", "Only those that this member owns."),
    VALUE(TEXT, "external-id", "ID", "Only the one with this id in your own system."),
    VALUE(TIME, "expires-before", "TIME", "Only those that end before this."),
};

static const struct option token_deactivate_options[] = {
    CHOICE("reason", "REASON", "Why.", reason_choices),
    VALUE(TEXT, "note", "TEXT", "More about why, for people."),
    FLAG("yes", "Does not ask first."),
    CHANGE_OPTIONS,
};

static const struct option whitelist_show_options[] = {
    VALUE(TEXT, "contains", "ADDRESS", "Only entries that hold this address."),
    VALUE(TEXT, "within", "RANGE", "Only entries inside this range, address/bits."),
    VALUE(TEXT, "note", "TEXT", "Only entries whose note holds this."),
};

static const struct option whitelist_switch_options[] = {
    CHOICE("scope", "SCOPE",
           "What it covers: every token, or log-ins only. Stays as it was by default, at first all.",
           scope_choices),
    FLAG("force", "Does it even if it refuses your own address, or everybody."),
    CHANGE_OPTIONS,
};

static const struct option whitelist_add_options[] = {
    {.name = "bits",
     .type = OPTION_INTEGER,
     .value_name = "BITS",
     .help = "How many leading bits must agree, for addresses without a slash.",
     .max = 128},
    VALUE(TEXT, "note", "TEXT", "What it is for, for people."),
    VALUE(TEXT, "owner", "TEXT", "Who answers for it, for people."),
    VALUE(DURATION, "expires-in", "TIME", "Ends them so long from now, such as 12h."),
    VALUE(TIME, "expires-at", "TIME", "Ends them then."),
    FLAG("force", "Permits a range that holds every address."),
    CHANGE_OPTIONS,
};

static const struct option whitelist_remove_options[] = {
    FLAG("force", "Does it even if it refuses your own address, or everybody."),
    CHANGE_OPTIONS,
};

static const struct option audit_list_options[] = {
    VALUE(TEXT, "member", "MEMBER-ID", "Only what this member did."),
    VALUE(TEXT, "token", "TOKEN-ID", "Only what was done with this token."),
    VALUE(TEXT, "action", "ACTION", "Only this, such as token.created, or token.* for all on tokens."),
    VALUE(TEXT, "object", "ID", "Only what was done to this."),
    VALUE(TIME, "since", "TIME", "Only at or after this."),
    VALUE(TIME, "until", "TIME", "Only before this."),
    {.name = "limit",
     .type = OPTION_INTEGER,
     .value_name = "NUMBER",
     .help = "At most so many (100).",
     .max = AUDIT_LIST_MAX},
};

static const struct option audit_verify_options[] = {
    VALUE(
        TEXT, "heads", "FILE",
        "Compares the chain with what servers with --audit-head-file have kept of it; - is standard input."),
    {.name = "from",
     .type = OPTION_INTEGER,
     .value_name = "NUMBER",
     .help = "Begins with this event, in place of the first.",
     .max = INT64_MAX},
};

static const struct option audit_erase_options[] = {
    DATABASE_OPTIONS,
    FLAG("yes", "Does not ask first."),
};

static const struct option validate_options[] = {
    VALUE(TEXT, "secret-file", "FILE",
          "The token's file, in place of LATCHKEY_VALIDATE_TOKEN; - is standard input."),
    VALUE(TEXT, "client-ip", "ADDRESS", "From where it was presented."),
    VALUE(LIST, "permission", "PERMISSION", "What is asked for: all of them are needed."),
    VALUE(LIST, "any-permission", "PERMISSION", "One of these is needed, too."),
    CHOICE("channel", "CHANNEL", "Where it was presented (api).", channel_choices),
    VALUE(TEXT, "domain", "DOMAIN", "Host or origin of the page, with --channel ui."),
    VALUE(TEXT, "min-revision", "REVISION", "Decides no earlier than this; every change answers one."),
};

const struct command command_table[] = {
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
    {.noun = "caller", .summary = "Says who you are, and what you may do", .run = caller_command_show},
    {.noun = "permissions", .summary = "Lists what can be granted", .run = caller_command_list_permissions},
    {.noun = "company",
     .verb = "create",
     .arguments = "NAME",
     .min_arguments = 1,
     .max_arguments = 1,
     .summary = "Makes a company, as the operator",
     .details = "\n  latchkey company create \"Example Ltd\" --administrator it@example.com --operator",
     .options = TABLE(company_create_options),
     .run = company_command_create},
    {.noun = "company",
     .verb = "show",
     .arguments = "[COMPANY-ID]",
     .max_arguments = 1,
     .summary = "Shows your company, or as the operator another",
     .run = company_command_show},
    {.noun = "token",
     .verb = "create",
     .summary = "Makes an access token",
     .details =
         "Its secret is shown this once, or written to --secret-file.\n"
         "\n  latchkey token create --label billing --permission charges.create --expires-in 90d --secret-file billing",
     .options = TABLE(token_create_options),
     .run = token_command_create},
    {.noun = "token",
     .verb = "list",
     .summary = "Lists access tokens, newest first",
     .options = TABLE(token_list_options),
     .run = token_command_list},
    {.noun = "token",
     .verb = "show",
     .arguments = "TOKEN-ID",
     .min_arguments = 1,
     .max_arguments = 1,
     .summary = "Shows an access token, without its secret",
     .run = token_command_show},
    {.noun = "token",
     .verb = "deactivate",
     .arguments = "TOKEN-ID",
     .min_arguments = 1,
     .max_arguments = 1,
     .summary = "Ends an access token for good",
     .details =
         "With --wait it says when no validator admits it any more, and exits with 1 if that was not in time.\n"
         "\n  latchkey token deactivate tok_01j... --reason leaked --yes --wait 5s",
     .options = TABLE(token_deactivate_options),
     .run = token_command_deactivate},
    {.noun = "whitelist",
     .verb = "show",
     .summary = "Shows the settings and entries",
     .options = TABLE(whitelist_show_options),
     .run = whitelist_command_show},
    {.noun = "whitelist",
     .verb = "enable",
     .summary = "Switches it on: only listed addresses get in",
     .options = TABLE(whitelist_switch_options),
     .run = whitelist_command_enable},
    {.noun = "whitelist",
     .verb = "disable",
     .summary = "Switches it off: it restricts nothing",
     .options = TABLE(whitelist_switch_options),
     .run = whitelist_command_disable},
    {.noun = "whitelist",
     .verb = "add",
     .arguments = "ADDRESS...",
     .min_arguments = 1,
     .max_arguments = ARGUMENTS_ANY,
     .summary = "Adds addresses and ranges, all or none",
     .details = "\n  latchkey whitelist add 203.0.113.0/24 2001:db8::/32 --note office --expires-in 30d",
     .options = TABLE(whitelist_add_options),
     .run = whitelist_command_add},
    {.noun = "whitelist",
     .verb = "remove",
     .arguments = "ENTRY...",
     .min_arguments = 1,
     .max_arguments = ARGUMENTS_ANY,
     .summary = "Removes entries, by id or exact range",
     .options = TABLE(whitelist_remove_options),
     .run = whitelist_command_remove},
    {.noun = "whitelist",
     .verb = "check",
     .arguments = "[ADDRESS]",
     .max_arguments = 1,
     .summary = "Says whether an address is listed, and by which entry",
     .details = "Without an address: your own, as the server sees it. Exits with 1 if it is not listed.",
     .run = whitelist_command_check},
    {.noun = "audit",
     .verb = "list",
     .summary = "Lists who did what, newest first",
     .details = "\n  latchkey audit list --action 'token.*' --since 2027-01-31",
     .options = TABLE(audit_list_options),
     .run = audit_command_list},
    {.noun = "audit",
     .verb = "verify",
     .summary = "Says whether the audit log is as it was written",
     .details =
         "Walks the chain of hashes, names the first link that does not hold, and exits with 1 then. Only with --heads\n"
         "does it see a chain that somebody who can write the database has written anew, or cut.\n"
         "\n  latchkey audit verify --heads /mnt/worm/latchkey-heads",
     .options = TABLE(audit_verify_options),
     .run = audit_command_verify},
    {.noun = "audit",
     .verb = "erase",
     .arguments = "MEMBER-ID",
     .min_arguments = 1,
     .max_arguments = 1,
     .summary = "Erases what the audit log says about a member",
     .details =
         "For who runs the database. E-mail address, addresses and agents of a person's events go, the events stay,\n"
         "under the member's id; the chain holds as before. That it was done is an event itself.\n"
         "\n  latchkey audit erase mbr_01j... --yes",
     .options = TABLE(audit_erase_options),
     .run = audit_command_erase},
    {.noun = "validate",
     .summary = "Asks whether a token is admitted",
     .details =
         "Prints ALLOW, or DENY and the first check that failed; exits with 0 or 1.\n"
         "\n  latchkey validate --secret-file billing --client-ip 203.0.113.7 --permission charges.create",
     .options = TABLE(validate_options),
     .run = validate_command_run},
    {.noun = "help",
     .arguments = "[COMMAND...]",
     .max_arguments = 2,
     .summary = "Says what there is, or what a command does",
     .run = plain_command_help},
    {.noun = "version", .summary = "Prints the version", .run = plain_command_version},
    {.noun = "completion",
     .arguments = "bash",
     .min_arguments = 1,
     .max_arguments = 1,
     .summary = "Prints a completion script for a shell",
     .details = "\n  source <(latchkey completion bash)",
     .run = plain_command_completion},
};
const size_t command_count = ARRAY_LENGTH(command_table);
