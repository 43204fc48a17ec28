#include "services/cli/whitelist_record.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/time_text.h"
#include "common/ip/prefix.h"
#include "services/cli/cli.h"

#define NOTE_MAX 500
#define OWNER_MAX 100
#define QUOTE_MAX 60 // bytes of what was typed that are repeated

const struct record_column whitelist_record_columns[WHITELIST_COLUMN_COUNT] = {
    [WHITELIST_COLUMN_ADDRESS] = {{"address", "ip", "range", "prefix", "network", "ip_prefix", "cidr_block"}},
    [WHITELIST_COLUMN_BITS] = {{"bits", "checking_bits", "prefix_length"}},
    [WHITELIST_COLUMN_NOTE] = {{"note", "comment", "description", "name"}},
    [WHITELIST_COLUMN_OWNER] = {{"owner"}},
    [WHITELIST_COLUMN_EXPIRES] = {{"expires", "expires_at", "expiry"}},
    [WHITELIST_COLUMN_DISABLED] = {{"disabled"}},
    [WHITELIST_COLUMN_IGNORED] = {{"entry_id", "cidr", "created_at", "created_by", "last_hit_at", "etag"}},
};

static const char *complain(struct arena *arena, const char *typed, const char *sentence) {
    return cli_need(arena_format(arena, "\"%.*s%s\": %s", QUOTE_MAX, typed,
                                 strlen(typed) > QUOTE_MAX ? "..." : "", sentence));
}

static const char *get(const struct record *record, enum whitelist_column column) {
    return record->texts[column] ? record->texts[column] : "";
}

static const char *read_bits(const char *text, struct arena *arena, int64_t *ret_bits) {
    uint64_t bits;
    *ret_bits = WHITELIST_RECORD_BITS_UNSET;
    if (!text[0])
        return NULL;
    if (!bytes_parse_unsigned(bytes_of_text(text), UINT8_MAX, &bits))
        return complain(arena, text, "type the checking bits as one decimal number, such as 24");
    *ret_bits = (int64_t)bits;
    return NULL;
}

static const char *check_address(const struct whitelist_record *entry, bool permits_all,
                                 struct arena *arena) {
    struct ip_prefix prefix;
    uint32_t bits = entry->bits == WHITELIST_RECORD_BITS_UNSET ? IP_PREFIX_BITS_UNSET : (uint32_t)entry->bits;
    enum ip_parse_result result = ip_prefix_parse_with_bits(bytes_of_text(entry->address), bits, &prefix);
    if (result != IP_PARSE_OK)
        return complain(arena, entry->address, ip_parse_result_get_text(result));
    if (prefix.bits == 0 && !permits_all)
        return complain(arena, entry->address, "it would let in every address; with --force it is taken");
    return NULL;
}

static const char *check_length(const char *text, size_t max, const char *name, struct arena *arena) {
    if (bytes_count_code_points(bytes_of_text(text)) <= max)
        return NULL;
    return complain(arena, text,
                    cli_need(arena_format(arena, "type at most %zu characters as %s", max, name)));
}

static const char *read_expiry(const char *text, struct arena *arena, int64_t *ret_ms) {
    *ret_ms = CLOCK_NEVER_MS;
    if (!text[0] || strcmp(text, "never") == 0 || time_text_parse(bytes_of_text(text), ret_ms))
        return NULL;
    return complain(arena, text, "type a time such as 2027-01-31T18:00:00Z, or a date such as 2027-01-31");
}

static const char *read_flag(const char *text, struct arena *arena, bool *ret_flag) {
    static const struct {
        const char *word;
        bool flag;
    } words[] = {{"", false},    {"false", false}, {"no", false}, {"0", false},
                 {"true", true}, {"yes", true},    {"1", true}};
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (bytes_is_equal_ignoring_case(bytes_of_text(words[i].word), bytes_of_text(text))) {
            *ret_flag = words[i].flag;
            return NULL;
        }
    return complain(arena, text, "type yes or no as disabled");
}

const char *whitelist_record_read(const struct record *record, bool permits_all, struct arena *arena,
                                  struct whitelist_record *ret_record) {
    struct whitelist_record entry = {.address = get(record, WHITELIST_COLUMN_ADDRESS),
                                     .note = get(record, WHITELIST_COLUMN_NOTE),
                                     .owner = get(record, WHITELIST_COLUMN_OWNER)};
    const char *error = record->error;
    if (!error)
        error = read_bits(get(record, WHITELIST_COLUMN_BITS), arena, &entry.bits);
    if (!error)
        error = check_address(&entry, permits_all, arena);
    if (!error)
        error = check_length(entry.note, NOTE_MAX, "note", arena);
    if (!error)
        error = check_length(entry.owner, OWNER_MAX, "owner", arena);
    if (!error)
        error = read_expiry(get(record, WHITELIST_COLUMN_EXPIRES), arena, &entry.expires_ms);
    if (!error)
        error = read_flag(get(record, WHITELIST_COLUMN_DISABLED), arena, &entry.is_disabled);
    if (!error)
        *ret_record = entry;
    return error;
}
