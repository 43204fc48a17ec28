#include "services/cli/whitelist_text.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/protobuf/field.h"
#include "services/cli/terminal.h"

static bool is_over(const ProtobufCMessage *entry) {
    return field_get_time_ms(entry, "expires_at", CLOCK_NEVER_MS) <=
           clock_get_realtime_ms(clock_get_system());
}

static const char *get_state(const ProtobufCMessage *entry) {
    if (field_get_integer(entry, "disabled"))
        return "disabled";
    return is_over(entry) ? "expired" : "active";
}

static const char *describe_settings(struct cli *cli, const ProtobufCMessage *whitelist) {
    const char *scope = answer_get_word(cli, whitelist, "scope", "WHITELIST_SCOPE_");
    int64_t count = field_get_integer(whitelist, "entry_count");
    if (!field_get_integer(whitelist, "enabled"))
        return cli_format(cli, "the whitelist is off: it restricts nothing; entries: %" PRId64, count);
    return cli_format(cli, "the whitelist is on, for %s; entries: %" PRId64,
                      strcmp(scope, "logins") == 0 ? "log-ins only" : "every token", count);
}

// What happens where nobody confirms.
static const char *get_way_back(struct cli *cli, const ProtobufCMessage *whitelist) {
    const char *unconfirmed = answer_get_word(cli, whitelist, "unconfirmed", "WHITELIST_UNCONFIRMED_");
    if (strcmp(unconfirmed, "switch") == 0)
        return "it goes off";
    if (strcmp(unconfirmed, "scope") == 0)
        return "it covers log-ins only again";
    return "the list before comes back"; // also of a server that does not say what
}

const char *whitelist_text_describe(struct cli *cli, const ProtobufCMessage *whitelist) {
    const char *settings = describe_settings(cli, whitelist),
               *until = answer_get_time(cli, whitelist, "confirm_by", NULL);
    if (!until)
        return settings;
    return cli_format(
        cli,
        "%s; %s at %s unless `latchkey whitelist confirm` is said from an address that this one "
        "lets in",
        settings, get_way_back(cli, whitelist), until);
}

void whitelist_text_print_entry(struct cli *cli, const ProtobufCMessage *entry) {
    struct table table;
    table_init(&table, &cli->arena, NULL, 2);
    table_add_property(&table, "entry", field_get_text(entry, "entry_id"));
    table_add_property(&table, "range", field_get_text(entry, "cidr"));
    table_add_property(&table, "as typed", field_get_text(entry, "address"));
    table_add_property(&table, "state", get_state(entry));
    table_add_property(&table, "expires", answer_get_time(cli, entry, "expires_at", "never"));
    table_add_property(&table, "note", field_get_text(entry, "note"));
    table_add_property(&table, "owner", field_get_text(entry, "owner"));
    table_add_property(&table, "last hit", answer_get_time(cli, entry, "last_hit_at", "never"));
    table_print(&table, TABLE_UNCUT, cli->out);
}

void whitelist_text_init_table(struct cli *cli, struct table *table) {
    static const char *const headings[] = {"ENTRY", "RANGE", "STATE", "EXPIRES", "LAST HIT", "NOTE"};
    table_init(table, &cli->arena, headings, ARRAY_LENGTH(headings));
}

void whitelist_text_add_entry(struct answer_list *list, const ProtobufCMessage *entry) {
    struct cli *cli = list->cli;
    table_add(list->table, (const char *const[]){
                               field_get_text(entry, "entry_id"),
                               field_get_text(entry, "cidr"),
                               get_state(entry),
                               answer_get_time(cli, entry, "expires_at", "never"),
                               answer_get_time(cli, entry, "last_hit_at", "never"),
                               field_get_text(entry, "note"),
                           });
}

const char *whitelist_text_get_entry(struct cli *cli, const ProtobufCMessage *entry) {
    const char *note = field_get_text(entry, "note");
    const char *text =
        cli_format(cli, "%s (%s%s%s%s)", field_get_text(entry, "cidr"), field_get_text(entry, "entry_id"),
                   note[0] ? ", \"" : "", note, note[0] ? "\"" : "");
    return terminal_clean(&cli->arena, text);
}

const char *whitelist_text_get_nearest(struct cli *cli, const ProtobufCMessage *check) {
    const ProtobufCMessage *miss = field_find_message(check, "nearest_miss");
    if (!miss)
        return "the list has no entry of its kind";
    const char *entry = whitelist_text_get_entry(cli, miss);
    if (field_get_integer(miss, "disabled"))
        return cli_format(cli, "the nearest entry, %s, is disabled", entry);
    if (is_over(miss))
        return cli_format(cli, "the nearest entry, %s, expired at %s", entry,
                          answer_get_time(cli, miss, "expires_at", ""));
    return cli_format(cli, "the nearest entry is %s, with %" PRId64 " of its %" PRId64 " bits in common",
                      entry, field_get_integer(check, "nearest_miss_common_bits"),
                      field_get_integer(miss, "checking_bits"));
}
