// `latchkey whitelist ...`, `latchkey draft ...` and their options.
#include "services/cli/command_rows.h"
#include "services/cli/draft_command.h"
#include "services/cli/whitelist_command.h"

static const char *const scope_choices[] = {"all", "logins", NULL};
static const char *const yes_no_choices[] = {"yes", "no", NULL};

#define DRAFT_OPTION(help_) VALUE(WORD, "draft", "DRAFT-ID", help_)
#define FORCE_OPTION FLAG("force", "Does it even if it refuses your own address, or everybody.")
#define CONFIRM_WITHIN_OPTION                 \
    VALUE(DURATION, "confirm-within", "TIME", \
          "Lets the list before come back by itself after so long, such as 10m, unless it is confirmed.")

static const struct option show_options[] = {
    VALUE(WORD, "contains", "ADDRESS", "Only entries that hold this address."),
    VALUE(WORD, "within", "RANGE", "Only entries inside this range, address/bits."),
    VALUE(WORD, "note", "TEXT", "Only entries whose note holds this."),
    VALUE(TIME, "expires-before", "TIME", "Only entries that end before this."),
    FLAG("never-hit", "Only entries that have never let anybody in."),
    DRAFT_OPTION("The entries of this draft, in place of the live list's."),
    LIMIT_OPTION,
    WATCH_OPTION,
};

#define SCOPE_OPTION                                                                                  \
    CHOICE("scope", "SCOPE",                                                                          \
           "What it covers: every token, or log-ins only. Stays as it was by default, at first all.", \
           scope_choices)

static const struct option enable_options[] = {
    SCOPE_OPTION,
    VALUE(DURATION, "confirm-within", "TIME",
          "Lets the settings before come back by themselves after so long, such as 10m, unless confirmed."),
    FORCE_OPTION,
    CHANGE_OPTIONS,
};

static const struct option disable_options[] = {SCOPE_OPTION, FORCE_OPTION, CHANGE_OPTIONS};

static const struct option confirm_options[] = {CHANGE_OPTIONS};

static const struct option add_options[] = {
    NUMBER("bits", "BITS", 128, "How many leading bits must agree, for addresses without a slash."),
    VALUE(TEXT, "note", "TEXT", "What it is for, for people."),
    VALUE(TEXT, "owner", "TEXT", "Who answers for it, for people."),
    RIVAL(DURATION, "expires-in", "TIME", "expires-at", "Ends them so long from now, such as 12h."),
    VALUE(TIME, "expires-at", "TIME", "Ends them then."),
    FLAG("disabled", "Keeps them, but lets nobody in by them."),
    DRAFT_OPTION("Adds them to this draft, in place of the live list."),
    FLAG("force", "Permits a range that holds every address."),
    CHANGE_OPTIONS,
};

static const struct option update_options[] = {
    VALUE(WORD, "range", "ADDRESS", "Its address, or address/bits."),
    NUMBER("bits", "BITS", 128, "How many leading bits must agree."),
    VALUE(TEXT, "note", "TEXT", "What it is for, for people; '' clears it."),
    VALUE(TEXT, "owner", "TEXT", "Who answers for it, for people; '' clears it."),
    CHOICE("disabled", "YES|NO", "Whether it is kept, but lets nobody in.", yes_no_choices),
    CLEARABLE(TIME, "expires-at", "TIME", "never", "Ends it then; or never."),
    RIVAL(DURATION, "expires-in", "TIME", "expires-at", "The same counted from now, such as 12h."),
    VALUE(WORD, "etag", "ETAG", "Changes it only if it is still as it was shown with this."),
    DRAFT_OPTION("The draft it is in, in place of the live list."),
    FORCE_OPTION,
    CHANGE_OPTIONS,
};

static const struct option remove_options[] = {
    DRAFT_OPTION("Removes them from this draft, in place of the live list."),
    FORCE_OPTION,
    CHANGE_OPTIONS,
};

static const struct option preview_options[] = {
    DRAFT_OPTION("Previews this draft, in place of a change of the live list."),
    CHOICE("scope", "SCOPE", "As if it covered this.", scope_choices),
};

static const struct option import_options[] = {
    FLAG("replace", "Puts the file in the live list's place, in place of adding to it."),
    FLAG("skip-bad", "Takes the good lines where others are bad."),
    CONFIRM_WITHIN_OPTION,
    {.name = "no-publish",
     .type = OPTION_FLAG,
     .help = "Leaves the draft, for you to preview and publish.",
     .rival = "confirm-within"},
    RIVAL(WORD, "draft", "DRAFT-ID", "confirm-within", "Adds to this draft, and leaves it."),
    FORCE_OPTION,
    ASKING_OPTION,
    CHANGE_OPTIONS,
};

static const struct option export_options[] = {
    DRAFT_OPTION("The entries of this draft, in place of the live list's."),
};

static const struct command whitelist_rows[] = {
    {.noun = "whitelist",
     .verb = "show",
     .summary = "Shows the settings and entries",
     .options = TABLE(show_options),
     .run = whitelist_command_show},
    {.noun = "whitelist",
     .verb = "enable",
     .summary = "Switches it on: only listed addresses get in",
     .details =
         "It is not for companies whose people come through VPNs or from changing addresses: whose address changes is\n"
         "locked out. `latchkey whitelist preview` says beforehand whom it would refuse, and with --confirm-within it goes\n"
         "off again unless `latchkey whitelist confirm` is said in time from an address that it lets in.\n"
         "\n  latchkey whitelist enable --confirm-within 10m",
     .options = TABLE(enable_options),
     .run = whitelist_command_enable},
    {.noun = "whitelist",
     .verb = "disable",
     .summary = "Switches it off: it restricts nothing",
     .options = TABLE(disable_options),
     .run = whitelist_command_disable},
    {.noun = "whitelist",
     .verb = "add",
     ARGUMENTS("ADDRESS...", 1, ARGUMENTS_ANY),
     .summary = "Adds addresses and ranges, all or none",
     .details = "\n  latchkey whitelist add 203.0.113.0/24 2001:db8::/32 --note office --expires-in 30d",
     .options = TABLE(add_options),
     .run = whitelist_command_add},
    {.noun = "whitelist",
     .verb = "update",
     ARGUMENTS("ENTRY", 1, 1),
     .summary = "Changes an entry, by id or exact range",
     .details =
         "Only what is typed is changed.\n"
         "\n  latchkey whitelist update 203.0.113.0/24 --expires-in 7d --note \"contractor until Friday\"",
     .options = TABLE(update_options),
     .run = whitelist_command_update},
    {.noun = "whitelist",
     .verb = "remove",
     ARGUMENTS("ENTRY...", 1, ARGUMENTS_ANY),
     .summary = "Removes entries, by id or exact range",
     .options = TABLE(remove_options),
     .run = whitelist_command_remove},
    {.noun = "whitelist",
     .verb = "check",
     ARGUMENTS("[ADDRESS]", 0, 1),
     .summary = "Says whether an address is listed, and by which entry",
     .details = "Without an address: your own, as the server sees it. Exits with 1 if it is not listed.",
     .run = whitelist_command_check},
    {.noun = "whitelist",
     .verb = "preview",
     ARGUMENTS("[ENTRY...]", 0, ARGUMENTS_ANY),
     .summary = "Says whom the list would refuse if it were on, or ENTRYs removed, or a draft published",
     .details = "Of those who have logged in or used a token in the last 30 days. Changes nothing.\n"
                "\n  latchkey whitelist preview"
                "\n  latchkey whitelist preview 203.0.113.0/24"
                "\n  latchkey whitelist preview --draft dra_01j...",
     .options = TABLE(preview_options),
     .run = whitelist_command_preview},
    {.noun = "whitelist",
     .verb = "confirm",
     .summary = "Keeps what was published or switched on with --confirm-within",
     .options = TABLE(confirm_options),
     .run = whitelist_command_confirm},
    {.noun = "whitelist",
     .verb = "import",
     ARGUMENTS("FILE", 1, 1),
     .summary = "Adds the entries of a file, or puts them in the list's place",
     .details =
         "FILE (- is standard input) has an address or range on each line, # beginning a comment, which becomes the note\n"
         "where it stands behind an address; or it is CSV with a header that names some of address, bits, note, owner,\n"
         "expires, disabled; or JSON: a list of addresses or of objects with these names, or an object on each line. Every\n"
         "line is checked first; where one is bad nothing is changed.\n"
         "What fits into one call (10 000 entries) is added to the live list at once. More, and what --replace brings, goes\n"
         "into a draft, which then takes the live list's place at once. It may be repeated with its --request-id.\n"
         "\n  latchkey whitelist import office.txt"
         "\n  latchkey whitelist import all.csv --replace --confirm-within 10m",
     .options = TABLE(import_options),
     .run = whitelist_command_import},
    {.noun = "whitelist",
     .verb = "export",
     .summary = "Prints all entries as CSV, or with --json as JSON, which import takes",
     .details = "\n  latchkey whitelist export > whitelist.csv",
     .options = TABLE(export_options),
     .run = whitelist_command_export},
};
const struct command_list whitelist_commands = {whitelist_rows, ARRAY_LENGTH(whitelist_rows)};

static const struct option draft_create_options[] = {
    FLAG("empty", "Begins without entries, in place of a copy of the live list."),
    CHANGE_OPTIONS,
};

static const struct option draft_publish_options[] = {
    CONFIRM_WITHIN_OPTION,
    FLAG("force", "Does it even if it refuses your own address, or the live list has changed since."),
    ASKING_OPTION,
    CHANGE_OPTIONS,
};

static const struct option draft_discard_options[] = {ASKING_OPTION, CHANGE_OPTIONS};

static const struct command draft_rows[] = {
    {.noun = "draft",
     .verb = "create",
     .summary = "Begins a draft of the whitelist, which nobody sees until it is published",
     .details =
         "`latchkey whitelist` add, update, remove, show, import, export and preview take --draft DRAFT-ID.\n"
         "\n  latchkey draft create --empty"
         "\n  latchkey whitelist add 203.0.113.0/24 --draft dra_01j...",
     .options = TABLE(draft_create_options),
     .run = draft_command_create},
    {.noun = "draft",
     .verb = "list",
     .summary = "Lists the drafts that there are, newest first",
     .run = draft_command_list},
    {.noun = "draft",
     .verb = "show",
     ARGUMENTS("DRAFT-ID", 1, 1),
     .summary = "Shows a draft; `whitelist show --draft` its entries",
     .run = draft_command_show},
    {.noun = "draft",
     .verb = "publish",
     ARGUMENTS("DRAFT-ID", 1, 1),
     .summary = "Puts a draft in the live list's place at once",
     .details = "\n  latchkey draft publish dra_01j... --confirm-within 10m --wait 5s",
     .options = TABLE(draft_publish_options),
     .run = draft_command_publish},
    {.noun = "draft",
     .verb = "discard",
     ARGUMENTS("DRAFT-ID", 1, 1),
     .summary = "Throws a draft away",
     .options = TABLE(draft_discard_options),
     .run = draft_command_discard},
};
const struct command_list draft_commands = {draft_rows, ARRAY_LENGTH(draft_rows)};
