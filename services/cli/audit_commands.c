// `latchkey audit ...` and its options.
#include "services/cli/audit_command.h"
#include "services/cli/command_rows.h"

static const struct option list_options[] = {
    VALUE(WORD, "member", "MEMBER-ID", "Only what this member did."),
    VALUE(WORD, "token", "TOKEN-ID", "Only what was done with this token."),
    VALUE(WORD, "action", "ACTION", "Only this, such as token.created, or token.* for all on tokens."),
    VALUE(WORD, "object", "ID", "Only what was done to this."),
    VALUE(TIME, "since", "TIME", "Only at or after this."),
    VALUE(TIME, "until", "TIME", "Only before this."),
    NUMBER("limit", "NUMBER", INT32_MAX, "Shows no more than so many (100)."),
    WATCH_OPTION,
};

static const struct option verify_options[] = {
    VALUE(
        TEXT, "heads", "FILE",
        "Compares the chain with what servers with --audit-head-file have kept of it; - is standard input."),
    NUMBER("from", "NUMBER", INT64_MAX, "Begins with this event, in place of the first."),
};

static const struct option erase_options[] = {DATABASE_OPTIONS, ASKING_OPTION};

static const struct command rows[] = {
    {.noun = "audit",
     .verb = "list",
     .summary = "Lists who did what, newest first",
     .details = "\n  latchkey audit list --action 'token.*' --since 2027-01-31",
     .options = TABLE(list_options),
     .run = audit_command_list},
    {.noun = "audit",
     .verb = "verify",
     .summary = "Says whether the audit log is as it was written",
     .details =
         "Walks the chain of hashes, names the first link that does not hold, and exits with 1 then. Only with --heads\n"
         "does it see a chain that somebody who can write the database has written anew, or cut.\n"
         "\n  latchkey audit verify --heads /mnt/worm/latchkey-heads",
     .options = TABLE(verify_options),
     .run = audit_command_verify},
    {.noun = "audit",
     .verb = "erase",
     ARGUMENTS("MEMBER-ID", 1, 1),
     .summary = "Erases what the audit log says about a member",
     .details =
         "For who runs the database. E-mail address, addresses and agents of a person's events go, the events stay,\n"
         "under the member's id; the chain holds as before. That it was done is an event itself.\n"
         "\n  latchkey audit erase mbr_01j... --yes",
     .options = TABLE(erase_options),
     .run = audit_command_erase},
};
const struct command_list audit_commands = {rows, ARRAY_LENGTH(rows)};
