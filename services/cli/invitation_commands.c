// `latchkey invitation ...` and its options.
#include "services/cli/command_rows.h"
#include "services/cli/invitation_command.h"

static const char *const state_choices[] = {"pending", "accepted", "expired", "deactivated", NULL};

static const struct option create_options[] = {
    VALUE(WORD, "file", "FILE", "Invites the addresses in this file, one on each line; - is standard input."),
    VALUE(LIST, "role", "ROLE", "A role of the members to be, by its name or id; again for more."),
    VALUE(LIST, "allowed-ip", "ADDRESS", "From where they may come; default anywhere."),
    CHANGE_OPTIONS,
};

static const struct option list_options[] = {
    CHOICE("state", "STATE", "Only those in this state.", state_choices),
    LIMIT_OPTION,
    WATCH_OPTION,
};

static const struct option show_options[] = {WATCH_OPTION};

static const struct option resend_options[] = {CHANGE_OPTIONS};

static const struct option deactivate_options[] = {ASKING_OPTION, CHANGE_OPTIONS};

#define LINK_OPTION                    \
    VALUE(WORD, "secret-file", "FILE", \
          "The file with the link, or the part after its #; default standard input, unseen on a terminal.")

static const struct option lookup_options[] = {LINK_OPTION};

static const struct option accept_options[] = {
    VALUE(TEXT, "display-name", "NAME", "Your name for others to see. Required."),
    LINK_OPTION,
    CHANGE_OPTIONS,
};

static const struct command rows[] = {
    {.noun = "invitation",
     .verb = "create",
     ARGUMENTS("[EMAIL...]", 0, ARGUMENTS_ANY),
     .summary = "Invites people by e-mail",
     .details =
         "They go over 100 in a call, each with a result of its own; exits with 1 if any was not invited.\n"
         "\n  latchkey invitation create ada@example.com bob@example.com --role cashier"
         "\n  latchkey invitation create --file people.txt --role cashier",
     .options = TABLE(create_options),
     .run = invitation_command_create},
    {.noun = "invitation",
     .verb = "list",
     .summary = "Lists invitations and what became of their mails, newest first",
     .options = TABLE(list_options),
     .run = invitation_command_list},
    {.noun = "invitation",
     .verb = "show",
     ARGUMENTS("INVITATION-ID", 1, 1),
     .summary = "Shows an invitation",
     .options = TABLE(show_options),
     .run = invitation_command_show},
    {.noun = "invitation",
     .verb = "resend",
     ARGUMENTS("INVITATION-ID", 1, 1),
     .summary = "Sends a new link and kills those before, also for an expired invitation",
     .options = TABLE(resend_options),
     .run = invitation_command_resend},
    {.noun = "invitation",
     .verb = "deactivate",
     ARGUMENTS("INVITATION-ID", 1, 1),
     .summary = "Kills every link of an invitation for good",
     .options = TABLE(deactivate_options),
     .run = invitation_command_deactivate},
    {.noun = "invitation",
     .verb = "lookup",
     .summary = "Says what a link is for, without using it up",
     .details = "Needs no token: it is for the invited person.",
     .options = TABLE(lookup_options),
     .run = invitation_command_lookup},
    {.noun = "invitation",
     .verb = "accept",
     .summary = "Makes the invited person a member",
     .details = "Needs no token: it is for the invited person.\n"
                "\n  latchkey invitation accept --display-name \"Ada Lovelace\" --secret-file link.txt",
     .options = TABLE(accept_options),
     .run = invitation_command_accept},
};
const struct command_list invitation_commands = {rows, ARRAY_LENGTH(rows)};
