#include "services/invitation/email_address.h"

#include <assert.h>

#include "common/access/domain.h"

const char *email_parse_result_get_text(enum email_parse_result result) {
    static const char *const texts[] = {
#define TEXT(name, text) text,
        EMAIL_PARSE_TABLE(TEXT)
#undef TEXT
    };
    static_assert(ARRAY_LENGTH(texts) == EMAIL_PARSE_COUNT, "one sentence for each result");
    assert((unsigned)result < EMAIL_PARSE_COUNT);
    return texts[result];
}

static bool has_any_of(struct bytes text, const char *characters) {
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] && strchr(characters, text.data[i]))
            return true;
    return false;
}

static bool is_local_byte(uint8_t character) {
    uint8_t lower = character | 0x20;
    return (lower >= 'a' && lower <= 'z') || (character >= '0' && character <= '9') ||
           (character && strchr("!#$%&'*+-/=?^_`{|}~", character));
}

// One part between dots.
static enum email_parse_result check_atom(struct bytes atom) {
    if (atom.len == 0)
        return EMAIL_PARSE_LOCAL_DOT;
    for (size_t i = 0; i < atom.len; i++)
        if (!is_local_byte(atom.data[i]))
            return EMAIL_PARSE_LOCAL_CHARACTER;
    return EMAIL_PARSE_OK;
}

static enum email_parse_result check_local(struct bytes local) {
    if (local.len == 0)
        return EMAIL_PARSE_LOCAL_EMPTY;
    if (local.len > EMAIL_LOCAL_MAX)
        return EMAIL_PARSE_TOO_LONG;
    while (local.data) {
        enum email_parse_result result = check_atom(bytes_split(&local, '.'));
        if (result != EMAIL_PARSE_OK)
            return result;
    }
    return EMAIL_PARSE_OK;
}

static enum email_parse_result get_domain_result(enum domain_parse_result result) {
    switch (result) {
    case DOMAIN_PARSE_OK: return EMAIL_PARSE_OK;
    case DOMAIN_PARSE_TOO_LONG: return EMAIL_PARSE_TOO_LONG;
    case DOMAIN_PARSE_ADDRESS: return EMAIL_PARSE_DOMAIN_ADDRESS;
    case DOMAIN_PARSE_INTERNATIONAL: return EMAIL_PARSE_DOMAIN_INTERNATIONAL;
    case DOMAIN_PARSE_NO_MEMORY: return EMAIL_PARSE_NO_MEMORY;
    default: return EMAIL_PARSE_DOMAIN;
    }
}

static enum email_parse_result parse_domain(struct bytes text, struct domain_name *ret) {
    struct domain_pattern pattern;
    bool ends_with_dot = text.len > 0 && text.data[text.len - 1] == '.'; // a domain may, an address may not
    if (text.len == 0 || ends_with_dot || text.data[0] == '*')
        return EMAIL_PARSE_DOMAIN;
    enum email_parse_result result = get_domain_result(domain_pattern_parse(text, &pattern));
    if (result != EMAIL_PARSE_OK)
        return result;
    if (!memchr(pattern.name.text, '.', pattern.name.len))
        return EMAIL_PARSE_DOMAIN_SHORT;
    *ret = pattern.name;
    return EMAIL_PARSE_OK;
}

static enum email_parse_result join(struct bytes local, const struct domain_name *domain,
                                    struct email_address *ret) {
    size_t length = local.len + 1 + domain->len;
    if (length > EMAIL_ADDRESS_MAX)
        return EMAIL_PARSE_TOO_LONG;
    memcpy(ret->text, local.data, local.len);
    ret->text[local.len] = '@';
    memcpy(ret->text + local.len + 1, domain->text, domain->len);
    ret->text[length] = '\0';
    return EMAIL_PARSE_OK;
}

enum email_parse_result email_address_parse(struct bytes text, struct email_address *ret) {
    struct domain_name domain;
    if (text.len == 0)
        return EMAIL_PARSE_EMPTY;
    if (has_any_of(text, " \t\r\n<>,;"))
        return EMAIL_PARSE_SPACE;
    struct bytes rest = text;
    struct bytes local = bytes_split(&rest, '@');
    if (!rest.data || memchr(rest.data, '@', rest.len))
        return EMAIL_PARSE_FORM;
    enum email_parse_result result = check_local(local);
    if (result == EMAIL_PARSE_OK)
        result = parse_domain(rest, &domain);
    return result == EMAIL_PARSE_OK ? join(local, &domain, ret) : result;
}
