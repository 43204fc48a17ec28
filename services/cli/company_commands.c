// `latchkey company ...` and its options.
#include "services/cli/command_rows.h"
#include "services/cli/company_command.h"

static const char *const state_choices[] = {"active", "suspended", NULL};
static const char *const yes_no_choices[] = {"yes", "no", NULL};
static const char *const leak_choices[] = {"deactivate", "suspend", "notify", NULL};
static const char *const reuse_choices[] = {"audit", "deactivate", NULL};

static const struct option create_options[] = {
    VALUE(WORD, "administrator", "EMAIL", "E-mail address of its first member. Required."),
    VALUE(TEXT, "external-id", "ID", "Its id in your own system, unique."),
    CHANGE_OPTIONS,
};

static const struct option list_options[] = {
    CHOICE("state", "STATE", "Only those in this state.", state_choices),
    VALUE(WORD, "name", "TEXT", "Only those whose name holds this."),
    VALUE(WORD, "external-id", "ID", "Only the one with this id in your own system."),
    LIMIT_OPTION,
};

static const struct option update_options[] = {
    VALUE(TEXT, "name", "NAME", "Its name."),
    VALUE(TEXT, "external-id", "ID", "Its id in your own system, which the operator sets; '' clears it."),
    CLEARABLE(DURATION, "max-token-lifetime", "TIME", "none",
              "The longest life of a new access token, such as 90d; or none, for no bound."),
    CHOICE("require-expiry", "YES|NO", "Whether a new access token must have an expiry.", yes_no_choices),
    CLEARABLE(DURATION, "deactivate-unused-after", "TIME", "never",
              "Access tokens not used for so long are deactivated; or never."),
    CHOICE("leak-action", "ACTION", "What a leak report does to the token.", leak_choices),
    CHOICE("reuse-action", "ACTION", "What the use of a rotated secret after its grace does.", reuse_choices),
    CLEARABLE(DURATION, "login-lifetime", "TIME", "default",
              "How long a log-in lasts, such as 8h; or default: 3h."),
    VALUE(WORD, "etag", "ETAG", "Changes it only if it is still as it was shown with this."),
    CHANGE_OPTIONS,
};

static const struct option suspend_options[] = {
    VALUE(TEXT, "note", "TEXT", "Why, for the audit log."),
    CHANGE_OPTIONS,
};

static const struct option resume_options[] = {CHANGE_OPTIONS};

static const struct command rows[] = {
    {.noun = "company",
     .verb = "create",
     ARGUMENTS("NAME", 1, 1),
     .summary = "Makes a company, as the operator",
     .details = "\n  latchkey company create \"Example Ltd\" --administrator it@example.com --operator",
     .options = TABLE(create_options),
     .run = company_command_create},
    {.noun = "company",
     .verb = "show",
     ARGUMENTS("[COMPANY-ID]", 0, 1),
     .summary = "Shows your company, or as the operator another",
     .run = company_command_show},
    {.noun = "company",
     .verb = "list",
     .summary = "Lists companies, newest first: all for the operator, for others their own",
     .options = TABLE(list_options),
     .run = company_command_list},
    {.noun = "company",
     .verb = "update",
     ARGUMENTS("[COMPANY-ID]", 0, 1),
     .summary = "Changes your company's name and rules for tokens, or as the operator another's",
     .details = "Only what is typed is changed.\n"
                "\n  latchkey company update --require-expiry yes --max-token-lifetime 90d",
     .options = TABLE(update_options),
     .run = company_command_update},
    {.noun = "company",
     .verb = "suspend",
     ARGUMENTS("COMPANY-ID", 1, 1),
     .summary = "Refuses every token of a company until it is resumed, as the operator",
     .details = "\n  latchkey company suspend cmp_01j... --note \"not paid\" --operator --wait 5s",
     .options = TABLE(suspend_options),
     .run = company_command_suspend},
    {.noun = "company",
     .verb = "resume",
     ARGUMENTS("COMPANY-ID", 1, 1),
     .summary = "Ends a company's suspension, as the operator",
     .options = TABLE(resume_options),
     .run = company_command_resume},
};
const struct command_list company_commands = {rows, ARRAY_LENGTH(rows)};
