// `latchkey login ...` and its options.
#include "services/cli/command_rows.h"
#include "services/cli/login_command.h"

static const char *const channel_choices[] = {"api", "ui", NULL};

static const struct option create_options[] = {
    VALUE(WORD, "issuer", "ISSUER", "The identity provider, in place of MEMBER; with --subject."),
    VALUE(WORD, "subject", "ID", "The person's id there."),
    VALUE(WORD, "client-ip", "ADDRESS", "From where the person logs in; needed where a list applies."),
    VALUE(TEXT, "user-agent", "TEXT", "With which agent."),
    CHOICE("channel", "CHANNEL", "Where the person logs in (ui).", channel_choices),
    SECRET_FILE_OPTION,
    CHANGE_OPTIONS,
};

static const struct option list_options[] = {LIMIT_OPTION, WATCH_OPTION};

static const struct option end_options[] = {
    VALUE(WORD, "member", "MEMBER", "Ends every log-in of this member, by id or e-mail address."),
    ASKING_OPTION,
    CHANGE_OPTIONS,
};

static const struct command rows[] = {
    {.noun = "login",
     .verb = "create",
     ARGUMENTS("[MEMBER]", 0, 1),
     .summary = "Makes the login token of a person who was just authenticated",
     .details =
         "For the system that checked the password: it needs latchkey.logins.create. The company's whitelist and the\n"
         "member's own list are applied. MEMBER is an id or an e-mail address.\n"
         "\n  latchkey login create ada@example.com --client-ip 203.0.113.7 --secret-file session \\\n"
         "      --operator --company cmp_01j...",
     .options = TABLE(create_options),
     .run = login_command_create},
    {.noun = "login",
     .verb = "list",
     ARGUMENTS("[MEMBER]", 0, 1),
     .summary = "Lists recent authentications, refused ones too, newest first",
     .options = TABLE(list_options),
     .run = login_command_list},
    {.noun = "login",
     .verb = "end",
     ARGUMENTS("[TOKEN-ID]", 0, 1),
     .summary = "Ends a log-in, or all of a member's",
     .details = "\n  latchkey login end --member ada@example.com --yes --wait 5s",
     .options = TABLE(end_options),
     .run = login_command_end},
};
const struct command_list login_commands = {rows, ARRAY_LENGTH(rows)};
