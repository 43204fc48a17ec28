// `latchkey member ...` and its options.
#include "services/cli/command_rows.h"
#include "services/cli/member_command.h"

static const char *const state_choices[] = {"active", "removed", NULL};

#define IDENTITY_OPTIONS                                                                             \
    VALUE(TEXT, "issuer", "ISSUER", "The identity provider that knows the person; with --subject."), \
        VALUE(TEXT, "subject", "ID", "The person's id there."),                                      \
        VALUE(TEXT, "external-id", "ID", "The person's id in your own system, unique in the company.")

static const struct option list_options[] = {
    CHOICE("state", "STATE", "Only those in this state.", state_choices),
    VALUE(WORD, "name", "TEXT", "Only those whose name or e-mail address holds this."),
    VALUE(WORD, "role", "ROLE", "Only those with this role, by its name or id."),
    VALUE(WORD, "external-id", "ID", "Only the one with this id in your own system."),
    LIMIT_OPTION,
};

static const struct option create_options[] = {
    VALUE(TEXT, "display-name", "NAME", "The person's name for others to see."),
    VALUE(LIST, "role", "ROLE", "A role, by its name or id; again for more. Without one: no permissions."),
    VALUE(LIST, "allowed-ip", "ADDRESS", "From where the person may come; default anywhere."),
    IDENTITY_OPTIONS,
    CHANGE_OPTIONS,
};

static const struct option update_options[] = {
    VALUE(WORD, "email", "EMAIL", "The person's e-mail address."),
    VALUE(TEXT, "display-name", "NAME", "The person's name for others to see; '' clears it."),
    CLEARABLE(LIST, "role", "ROLE", "none",
              "All roles, in place of those that it has, by name or id; or none."),
    CLEARABLE(LIST, "allowed-ip", "ADDRESS", "any", "From where the person may come; or any."),
    IDENTITY_OPTIONS,
    VALUE(WORD, "etag", "ETAG", "Changes it only if it is still as it was shown with this."),
    FLAG("force", "Does it even if you yourself would no longer be let in from your address."),
    CHANGE_OPTIONS,
};

static const struct option remove_options[] = {
    VALUE(WORD, "transfer-tokens-to", "MEMBER",
          "Who gets the member's access tokens, or the company's own id cmp_..."),
    FLAG("dry-run", "Only says what would end."),
    ASKING_OPTION,
    CHANGE_OPTIONS,
};

static const struct command rows[] = {
    {.noun = "member",
     .verb = "list",
     .summary = "Lists members, newest first",
     .options = TABLE(list_options),
     .run = member_command_list},
    {.noun = "member",
     .verb = "show",
     ARGUMENTS("[MEMBER]", 0, 1),
     .summary = "Shows a member, by id or e-mail address; or yourself",
     .run = member_command_show},
    {.noun = "member",
     .verb = "create",
     ARGUMENTS("EMAIL", 1, 1),
     .summary = "Makes a member without an invitation",
     .details =
         "For systems that know who a person is; `latchkey invitation create` asks the person.\n"
         "\n  latchkey member create ada@example.com --role cashier --issuer https://id.example.com --subject 42",
     .options = TABLE(create_options),
     .run = member_command_create},
    {.noun = "member",
     .verb = "update",
     ARGUMENTS("MEMBER", 1, 1),
     .summary = "Changes a member's roles, addresses or names",
     .details = "Only what is typed is changed; it holds for the member's tokens at once.\n"
                "\n  latchkey member update ada@example.com --role cashier,auditor --wait 5s",
     .options = TABLE(update_options),
     .run = member_command_update},
    {.noun = "member",
     .verb = "remove",
     ARGUMENTS("MEMBER", 1, 1),
     .summary = "Removes a member for good, with tokens and log-ins",
     .details = "\n  latchkey member remove ada@example.com --dry-run"
                "\n  latchkey member remove ada@example.com --transfer-tokens-to bob@example.com --wait 5s",
     .options = TABLE(remove_options),
     .run = member_command_remove},
};
const struct command_list member_commands = {rows, ARRAY_LENGTH(rows)};
