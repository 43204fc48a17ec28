// `latchkey role ...` and its options.
#include "services/cli/command_rows.h"
#include "services/cli/role_command.h"

static const struct option list_options[] = {LIMIT_OPTION};

static const struct option create_options[] = {
    VALUE(LIST, "permission", "PERMISSION", "What it allows: resource.action or resource.*; again for more."),
    CHANGE_OPTIONS,
};

static const struct option update_options[] = {
    VALUE(TEXT, "name", "NAME", "Its name."),
    CLEARABLE(LIST, "permission", "PERMISSION", "none",
              "All that it allows, in place of what it did; or none."),
    VALUE(WORD, "etag", "ETAG", "Changes it only if it is still as it was shown with this."),
    CHANGE_OPTIONS,
};

static const struct option delete_options[] = {ASKING_OPTION, CHANGE_OPTIONS};

static const struct command rows[] = {
    {.noun = "role",
     .verb = "list",
     .summary = "Lists roles and what they allow",
     .options = TABLE(list_options),
     .run = role_command_list},
    {.noun = "role",
     .verb = "create",
     ARGUMENTS("NAME", 1, 1),
     .summary = "Makes a role",
     .details = "\n  latchkey role create cashier --permission charges.create,charges.read",
     .options = TABLE(create_options),
     .run = role_command_create},
    {.noun = "role",
     .verb = "update",
     ARGUMENTS("ROLE", 1, 1),
     .summary = "Changes a role, by its name or id",
     .details = "It holds at once for every token of every member who has the role.\n"
                "\n  latchkey role update cashier --permission charges.* --wait 5s",
     .options = TABLE(update_options),
     .run = role_command_update},
    {.noun = "role",
     .verb = "delete",
     ARGUMENTS("ROLE", 1, 1),
     .summary = "Deletes a role that nobody has",
     .options = TABLE(delete_options),
     .run = role_command_delete},
};
const struct command_list role_commands = {rows, ARRAY_LENGTH(rows)};
