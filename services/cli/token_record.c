#include "services/cli/token_record.h"

#include <string.h>

#include "common/base/time_text.h"
#include "common/crypto/digest.h"
#include "common/protobuf/field.h"
#include "services/cli/answer.h"

enum column {
    COLUMN_SHA256,
    COLUMN_LABEL,
    COLUMN_PERMISSIONS,
    COLUMN_CHANNELS,
    COLUMN_ALLOWED_IPS,
    COLUMN_ALLOWED_DOMAINS,
    COLUMN_NOT_BEFORE,
    COLUMN_EXPIRES,
    COLUMN_CREATED,
    COLUMN_LAST_USED,
    COLUMN_EXTERNAL_ID,
    COLUMN_DESCRIPTION,
    COLUMN_HINT,
    COLUMN_COUNT
};
_Static_assert(COLUMN_COUNT == TOKEN_RECORD_COLUMNS, "a row for each column");

const struct record_column token_record_columns[TOKEN_RECORD_COLUMNS] = {
    [COLUMN_SHA256] = {{"sha256", "secret_sha256", "digest", "hash"}},
    [COLUMN_LABEL] = {{"label", "name"}},
    [COLUMN_PERMISSIONS] = {{"permissions", "scopes"}},
    [COLUMN_CHANNELS] = {{"channels"}},
    [COLUMN_ALLOWED_IPS] = {{"allowed_ips"}},
    [COLUMN_ALLOWED_DOMAINS] = {{"allowed_domains"}},
    [COLUMN_NOT_BEFORE] = {{"not_before"}},
    [COLUMN_EXPIRES] = {{"expires", "expires_at"}},
    [COLUMN_CREATED] = {{"created", "created_at"}},
    [COLUMN_LAST_USED] = {{"last_used", "last_used_at"}},
    [COLUMN_EXTERNAL_ID] = {{"external_id", "id"}},
    [COLUMN_DESCRIPTION] = {{"description"}},
    [COLUMN_HINT] = {{"hint", "last4"}},
};

static const struct {
    enum column column;
    const char *field;
} texts[] = {{COLUMN_LABEL, "label"},
             {COLUMN_EXTERNAL_ID, "external_id"},
             {COLUMN_DESCRIPTION, "description"},
             {COLUMN_HINT, "hint"}},
  lists[] = {{COLUMN_PERMISSIONS, "permissions"},
             {COLUMN_CHANNELS, "channels"},
             {COLUMN_ALLOWED_IPS, "allowed_ips"},
             {COLUMN_ALLOWED_DOMAINS, "allowed_domains"}},
  times[] = {{COLUMN_NOT_BEFORE, "not_before"},
             {COLUMN_EXPIRES, "expires_at"},
             {COLUMN_CREATED, "created_at"},
             {COLUMN_LAST_USED, "last_used_at"}};

static int get_nibble(char c) {
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *found = c ? strchr(digits, c) : NULL;
    return found ? (int)(found - digits) % 16 : -1;
}

static bool parse_digest(const char *text, struct digest *ret_digest) {
    if (strlen(text) != 2 * DIGEST_LENGTH)
        return false;
    for (size_t i = 0; i < DIGEST_LENGTH; i++) {
        int high = get_nibble(text[2 * i]), low = get_nibble(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        ret_digest->bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

// The words of a list, separated by white space or commas.
static const char **split_words(struct cli *cli, const char *text, size_t *ret_count) {
    static const char separators[] = " \t\n,";
    const char **words = cli_need(ARENA_NEW_ARRAY(&cli->arena, const char *, strlen(text)));
    *ret_count = 0;
    while (*(text += strspn(text, separators))) {
        size_t len = strcspn(text, separators);
        words[(*ret_count)++] = cli_need(arena_copy_bytes(&cli->arena, bytes_of(text, len)));
        text += len;
    }
    return words;
}

static const char *set_channels(struct cli *cli, ProtobufCMessage *message, const char **words,
                                size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i], "api") != 0 && strcmp(words[i], "ui") != 0)
            return cli_format(cli, "the channel \"%s\" must be api or ui", words[i]);
        words[i] = answer_to_enum_name(cli, "CHANNEL_", words[i]);
    }
    cli_must(field_set_enum_names(&cli->arena, message, "channels", words, count));
    return NULL;
}

static const char *set_lists(struct cli *cli, const struct record *record, ProtobufCMessage *message) {
    for (size_t i = 0; i < ARRAY_LENGTH(lists); i++) {
        size_t count;
        const char *text = record->texts[lists[i].column], *error = NULL;
        const char **words = split_words(cli, text ? text : "", &count);
        if (lists[i].column == COLUMN_CHANNELS)
            error = set_channels(cli, message, words, count);
        else
            cli_must(field_set_texts(&cli->arena, message, lists[i].field, words, count));
        if (error)
            return error;
    }
    return NULL;
}

static const char *set_times(struct cli *cli, const struct record *record, ProtobufCMessage *message) {
    for (size_t i = 0; i < ARRAY_LENGTH(times); i++) {
        int64_t ms;
        const char *text = record->texts[times[i].column];
        if (!text || !text[0] || strcmp(text, "never") == 0)
            continue;
        if (!time_text_parse(bytes_of_text(text), &ms))
            return cli_format(cli, "%s is \"%s\", but must be a time such as 2027-01-31T18:00:00Z",
                              times[i].field, text);
        cli_must(field_set_time_ms(&cli->arena, message, times[i].field, ms));
    }
    return NULL;
}

const char *token_record_fill(struct cli *cli, const struct record *record, ProtobufCMessage *message) {
    struct digest digest;
    if (record->error)
        return record->error;
    if (!record->texts[COLUMN_SHA256] || !parse_digest(record->texts[COLUMN_SHA256], &digest))
        return "sha256 must be 64 hexadecimal digits: the SHA-256 of the secret, never the secret itself";
    cli_must(field_set_bytes(&cli->arena, message, "secret_sha256", bytes_of(digest.bytes, DIGEST_LENGTH)));
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        if (record->texts[texts[i].column])
            cli_must(field_set_text(&cli->arena, message, texts[i].field, record->texts[texts[i].column]));
    const char *error = set_lists(cli, record, message);
    return error ? error : set_times(cli, record, message);
}
