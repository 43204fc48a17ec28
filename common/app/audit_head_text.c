#include "common/app/audit_head_text.h"

#include <inttypes.h>

#include "common/base/hex.h"
#include "common/base/time_text.h"
#include "common/base/typeid.h"

void audit_head_text_append(struct buffer *to, const struct audit_head_line *line) {
    char at[TIME_TEXT_MAX + 1], hash[2 * DIGEST_LENGTH + 1];
    time_text_format(line->at_ms, at);
    hex_format(bytes_of(line->hash.bytes, DIGEST_LENGTH), hash);
    buffer_append_format(to, "%s %s %" PRId64 " %s\n", at, typeid_of(TYPEID_COMPANY, line->company_id).text,
                         line->number, hash);
}

// Only as it is written: a year that can't be written is none.
static bool parse_time(struct bytes text, int64_t *ret_ms) {
    char again[TIME_TEXT_MAX + 1];
    if (!time_text_parse(text, ret_ms))
        return false;
    time_text_format(*ret_ms, again);
    return bytes_is_text(text, again);
}

bool audit_head_text_parse(struct bytes text, struct audit_head_line *ret_line) {
    struct audit_head_line line;
    struct bytes at = bytes_split(&text, ' '), company = bytes_split(&text, ' ');
    struct bytes number = bytes_split(&text, ' ');
    uint64_t value;
    if (!parse_time(at, &line.at_ms) || !typeid_parse(company, TYPEID_COMPANY, &line.company_id) ||
        !bytes_parse_unsigned(number, INT64_MAX, &value) || value == 0 ||
        !hex_parse(text, line.hash.bytes, DIGEST_LENGTH))
        return false;
    line.number = (int64_t)value;
    *ret_line = line;
    return true;
}
