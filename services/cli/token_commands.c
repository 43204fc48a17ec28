// `latchkey token ...` and its options.
#include "services/cli/command_rows.h"
#include "services/cli/token_command.h"

static const char *const channel_choices[] = {"api", "ui", NULL};
static const char *const state_choices[] = {"active",  "suspended",     "deactivated",
                                            "expired", "not-yet-valid", NULL};
static const char *const reason_choices[] = {"leaked", "rotated", "unused", "policy", "other", NULL};

static const struct option create_options[] = {
    VALUE(TEXT, "label", "LABEL", "A name for people. Required."),
    VALUE(LIST, "permission", "PERMISSION",
          "What it may do: resource.action or resource.*; again for more, or with commas between."),
    SECRET_FILE_OPTION,
    RIVAL(DURATION, "expires-in", "TIME", "expires-at", "Ends it so long from now, such as 30d."),
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
    VALUE(PAIRS, "metadata", "KEY=VALUE", "Free pairs, at most 16."),
    CHANGE_OPTIONS,
};

#define FILTER_OPTIONS                                                                     \
    CHOICE("state", "STATE", "Only those in this state.", state_choices),                  \
        VALUE(WORD, "label", "TEXT", "Only those whose label holds this."),                \
        VALUE(WORD, "permission", "PERMISSION", "Only those granted this."),               \
        VALUE(WORD, "member", "MEMBER-ID", "Only those that this member owns."),           \
        VALUE(WORD, "external-id", "ID", "Only the one with this id in your own system."), \
        VALUE(TIME, "expires-before", "TIME", "Only those that end before this."),         \
        VALUE(TIME, "unused-since", "TIME", "Only those made before this and not used since.")

static const struct option list_options[] = {FILTER_OPTIONS, LIMIT_OPTION, WATCH_OPTION};

static const struct option update_options[] = {
    VALUE(TEXT, "label", "LABEL", "A name for people."),
    VALUE(TEXT, "description", "TEXT", "More for people; '' clears it."),
    CLEARABLE(LIST, "permission", "PERMISSION", "none",
              "All that it may do, in place of what it might; or none."),
    CLEARABLE(LIST, "allowed-ip", "ADDRESS", "any", "From where it may come; or any."),
    CLEARABLE(LIST, "domain", "DOMAIN", "any", "Domains that it may be used on; or any."),
    CLEARABLE(TIME, "expires-at", "TIME", "never", "Ends it then, such as 2027-01-31T18:00:00Z; or never."),
    RIVAL(DURATION, "expires-in", "TIME", "expires-at", "The same counted from now, such as 30d."),
    CLEARABLE(PAIRS, "metadata", "KEY=VALUE", "none", "Free pairs, in place of those that it has; or none."),
    VALUE(WORD, "etag", "ETAG", "Changes it only if it is still as it was shown with this."),
    FLAG("force", "Does it even if your own token would no longer be let in from your address."),
    CHANGE_OPTIONS,
};

static const struct option suspend_options[] = {
    VALUE(TIME, "until", "TIME", "Ends the suspension then; default until it is resumed."),
    RIVAL(DURATION, "for", "TIME", "until", "The same counted from now, such as 2h."),
    VALUE(TEXT, "note", "TEXT", "Why, for the audit log."),
    CHANGE_OPTIONS,
};

static const struct option resume_options[] = {CHANGE_OPTIONS};

static const struct option rotate_options[] = {
    VALUE(DURATION, "grace", "TIME", "How long the old secret works on, such as 24h; default not at all."),
    FLAG("supersede",
         "Gives up the newer secret of a rotation whose grace still runs, such as one that got lost."),
    SECRET_FILE_OPTION,
    ASKING_OPTION,
    CHANGE_OPTIONS,
};

static const struct option deactivate_options[] = {
    FILTER_OPTIONS,
    FLAG("dry-run", "Only says which tokens it would be."),
    CHOICE("reason", "REASON", "Why.", reason_choices),
    VALUE(TEXT, "note", "TEXT", "More about why, for people."),
    ASKING_OPTION,
    CHANGE_OPTIONS,
};

static const struct option import_options[] = {
    FLAG("company-owned", "Makes all of them the company's own."),
    CHANGE_OPTIONS,
};

static const struct option report_options[] = {
    VALUE(WORD, "secret-file", "FILE", "The file with the secret that was found; - is standard input."),
};

static const struct command rows[] = {
    {.noun = "token",
     .verb = "create",
     .summary = "Makes an access token",
     .details =
         "Its secret is shown this once, on a terminal, or written to --secret-file.\n"
         "\n  latchkey token create --label billing --permission charges.create --expires-in 90d --secret-file billing",
     .options = TABLE(create_options),
     .run = token_command_create},
    {.noun = "token",
     .verb = "list",
     .summary = "Lists access tokens, newest first",
     .options = TABLE(list_options),
     .run = token_command_list},
    {.noun = "token",
     .verb = "show",
     ARGUMENTS("TOKEN-ID", 1, 1),
     .summary = "Shows an access token, without its secret",
     .run = token_command_show},
    {.noun = "token",
     .verb = "update",
     ARGUMENTS("TOKEN-ID", 1, 1),
     .summary = "Changes what an access token may do, and until when",
     .details = "Only what is typed is changed; a list is replaced whole.\n"
                "\n  latchkey token update tok_01j... --allowed-ip 203.0.113.0/24 --expires-at never",
     .options = TABLE(update_options),
     .run = token_command_update},
    {.noun = "token",
     .verb = "suspend",
     ARGUMENTS("TOKEN-ID", 1, 1),
     .summary = "Refuses an access token for a time, or until it is resumed",
     .details = "\n  latchkey token suspend tok_01j... --for 2h --note \"odd traffic\" --wait 5s",
     .options = TABLE(suspend_options),
     .run = token_command_suspend},
    {.noun = "token",
     .verb = "resume",
     ARGUMENTS("TOKEN-ID", 1, 1),
     .summary = "Ends an access token's suspension",
     .options = TABLE(resume_options),
     .run = token_command_resume},
    {.noun = "token",
     .verb = "rotate",
     ARGUMENTS("TOKEN-ID", 1, 1),
     .summary = "Gives an access token a new secret; id and rights stay",
     .details = "The new secret is shown this once, on a terminal, or written to --secret-file.\n"
                "\n  latchkey token rotate tok_01j... --grace 24h --secret-file billing.new",
     .options = TABLE(rotate_options),
     .run = token_command_rotate},
    {.noun = "token",
     .verb = "deactivate",
     ARGUMENTS("[TOKEN-ID]", 0, 1),
     .summary = "Ends an access token for good, or all that filters name",
     .details =
         "With --wait it says when no validator admits it any more, and exits with 1 if that was not in time.\n"
         "Filters must all hold; --dry-run says which tokens they name.\n"
         "\n  latchkey token deactivate tok_01j... --reason leaked --yes --wait 5s"
         "\n  latchkey token deactivate --unused-since 2026-01-01 --reason unused --dry-run",
     .options = TABLE(deactivate_options),
     .run = token_command_deactivate},
    {.noun = "token",
     .verb = "import",
     ARGUMENTS("FILE", 1, 1),
     .summary = "Takes over tokens made elsewhere, by the SHA-256 of their secrets",
     .details =
         "FILE is CSV with a header, or JSON: a list of objects, or one on each line; - is standard input. Columns:\n"
         "sha256 (64 hexadecimal digits) and label, both required; permissions, channels, allowed_ips,\n"
         "allowed_domains (several with spaces between, in JSON a list); not_before, expires, created, last_used;\n"
         "external_id, description, hint. They go over 1000 in a call, each with a result of its own; exits with 1 if\n"
         "any was not taken.\n"
         "\n  latchkey token import tokens.csv --company-owned",
     .options = TABLE(import_options),
     .run = token_command_import},
    {.noun = "token",
     .verb = "report",
     .summary = "Reports a secret that turned up where it should not",
     .details =
         "Needs no token of your own. The answer is the same whatever was sent: it says nothing about the secret.\n"
         "\n  latchkey token report --secret-file found.txt",
     .options = TABLE(report_options),
     .run = token_command_report},
};
const struct command_list token_commands = {rows, ARRAY_LENGTH(rows)};
