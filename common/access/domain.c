// Names are checked byte by byte here; only what is beyond ASCII or says `xn--` goes through libidn2, and
// what comes out of it is checked the same way again.
#include "common/access/domain.h"

#include <assert.h>
#include <idn2.h>
#include <libpsl.h>
#include <stdio.h>

enum {
    LABEL_MAX = 63,
    TYPED_MAX = 4 * DOMAIN_NAME_MAX, // bytes of UTF-8
};

const char *domain_parse_result_get_text(enum domain_parse_result result) {
    static const char *const texts[] = {
#define TEXT(name, text) text,
        DOMAIN_PARSE_TABLE(TEXT)
#undef TEXT
    };
    static_assert(ARRAY_LENGTH(texts) == DOMAIN_PARSE_COUNT, "one sentence for each result");
    assert((unsigned)result < DOMAIN_PARSE_COUNT);
    return texts[result];
}

static bool is_name_byte(uint8_t character) {
    return (character >= 'a' && character <= 'z') || (character >= '0' && character <= '9') ||
           character == '-' || character == '.';
}

// What a byte that no name has was probably meant for.
static enum domain_parse_result screen_byte(uint8_t character) {
    switch (character) {
    case '/':
    case '\\':
    case '?':
    case '#': return DOMAIN_PARSE_PATH;
    case ':': return DOMAIN_PARSE_PORT;
    case '@': return DOMAIN_PARSE_USER;
    case '*': return DOMAIN_PARSE_WILDCARD_PLACE;
    case '[':
    case ']': return DOMAIN_PARSE_ADDRESS;
    default: return DOMAIN_PARSE_CHARACTER;
    }
}

static bool is_all_digits(struct bytes label) {
    for (size_t i = 0; i < label.len; i++)
        if (label.data[i] < '0' || label.data[i] > '9')
            return false;
    return true;
}

static enum domain_parse_result check_label(struct bytes label) {
    if (label.len == 0)
        return DOMAIN_PARSE_EMPTY_LABEL;
    if (label.len > LABEL_MAX)
        return DOMAIN_PARSE_TOO_LONG;
    if (label.data[0] == '-' || label.data[label.len - 1] == '-')
        return DOMAIN_PARSE_HYPHEN;
    return DOMAIN_PARSE_OK;
}

// The last label of an IPv4 address is a number, that of a name never.
static enum domain_parse_result check_labels(struct bytes name) {
    struct bytes label = BYTES_EMPTY;
    while (name.data) {
        label = bytes_split(&name, '.');
        enum domain_parse_result result = check_label(label);
        if (result != DOMAIN_PARSE_OK)
            return result;
    }
    return is_all_digits(label) ? DOMAIN_PARSE_ADDRESS : DOMAIN_PARSE_OK;
}

// ASCII without a trailing dot to lower case.
static enum domain_parse_result parse_ascii(struct bytes text, struct domain_name *ret) {
    if (text.len == 0)
        return DOMAIN_PARSE_EMPTY;
    if (text.len > DOMAIN_NAME_MAX)
        return DOMAIN_PARSE_TOO_LONG;
    struct domain_name name = {.len = (uint8_t)text.len};
    for (size_t i = 0; i < text.len; i++) {
        uint8_t character = ascii_to_lower(text.data[i]);
        if (!is_name_byte(character))
            return screen_byte(character);
        name.text[i] = (char)character;
    }
    enum domain_parse_result result = check_labels(domain_name_get_bytes(&name));
    if (result == DOMAIN_PARSE_OK)
        *ret = name;
    return result;
}

static bool is_beyond_ascii(struct bytes text) {
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] >= 0x80)
            return true;
    return false;
}

static bool has_a_label(struct bytes text) {
    while (text.data) {
        struct bytes label = bytes_split(&text, '.');
        if (label.len >= 4 && bytes_is_equal_ignoring_case(bytes_of(label.data, 4), BYTES_LITERAL("xn--")))
            return true;
    }
    return false;
}

static enum domain_parse_result get_idn_result(int idn2_result) {
    switch (idn2_result) {
    case IDN2_OK: return DOMAIN_PARSE_OK;
    case IDN2_MALLOC: return DOMAIN_PARSE_NO_MEMORY;
    case IDN2_TOO_BIG_DOMAIN:
    case IDN2_TOO_BIG_LABEL:
    case IDN2_PUNYCODE_BIG_OUTPUT: return DOMAIN_PARSE_TOO_LONG;
    default: return DOMAIN_PARSE_INTERNATIONAL;
    }
}

// UTF-8 to A-labels by UTS 46, non-transitional.
static enum domain_parse_result convert_to_ascii(const char *utf8, struct domain_name *ret) {
    char *ascii = NULL;
    int flags = IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT;
    enum domain_parse_result result = get_idn_result(idn2_to_ascii_8z(utf8, &ascii, flags));
    if (result == DOMAIN_PARSE_OK)
        result = parse_ascii(bytes_of_text(ascii), ret);
    idn2_free(ascii);
    return result;
}

// A-labels must be what their Unicode form gives: another spelling of one name, or of none, is refused.
static enum domain_parse_result check_a_labels(const struct domain_name *name) {
    char *utf8 = NULL;
    enum domain_parse_result result = get_idn_result(idn2_to_unicode_8z8z(name->text, &utf8, 0));
    struct domain_name again;
    if (result == DOMAIN_PARSE_OK)
        result = convert_to_ascii(utf8, &again);
    idn2_free(utf8);
    if (result == DOMAIN_PARSE_NO_MEMORY)
        return result;
    bool is_same = result == DOMAIN_PARSE_OK &&
                   bytes_is_equal(domain_name_get_bytes(name), domain_name_get_bytes(&again));
    return is_same ? DOMAIN_PARSE_OK : DOMAIN_PARSE_INTERNATIONAL;
}

// Bytes that tell of something other than a name are named before libidn2 sees them.
static enum domain_parse_result screen_ascii_bytes(struct bytes text) {
    for (size_t i = 0; i < text.len; i++) {
        uint8_t character = ascii_to_lower(text.data[i]);
        if (character < 0x80 && !is_name_byte(character))
            return screen_byte(character);
    }
    return DOMAIN_PARSE_OK;
}

static enum domain_parse_result parse_international(struct bytes text, struct domain_name *ret) {
    if (text.len > TYPED_MAX)
        return DOMAIN_PARSE_TOO_LONG;
    if (!bytes_is_utf8(text))
        return DOMAIN_PARSE_INTERNATIONAL;
    enum domain_parse_result result = screen_ascii_bytes(text);
    if (result != DOMAIN_PARSE_OK)
        return result;
    char utf8[TYPED_MAX + 1];
    memcpy(utf8, text.data, text.len);
    utf8[text.len] = '\0';
    struct domain_name name;
    result = is_beyond_ascii(text) ? convert_to_ascii(utf8, &name) : parse_ascii(text, &name);
    if (result == DOMAIN_PARSE_OK)
        result = check_a_labels(&name);
    if (result == DOMAIN_PARSE_OK)
        *ret = name;
    return result;
}

static enum domain_parse_result parse_host(struct bytes text, struct domain_name *ret) {
    if (text.len > 1 && text.data[text.len - 1] == '.')
        text.len--;
    bool is_plain = !is_beyond_ascii(text) && !has_a_label(text);
    return is_plain ? parse_ascii(text, ret) : parse_international(text, ret);
}

// Where "://" begins; the length of the text if it does not.
static size_t find_scheme_end(struct bytes text) {
    for (size_t i = 0; i + 3 <= text.len; i++)
        if (memcmp(text.data + i, "://", 3) == 0)
            return i;
    return text.len;
}

// Includes the private part of the list: under github.io, too, domains belong to anybody.
static bool is_public_suffix(const struct domain_name *name) {
    const psl_ctx_t *list = psl_builtin();
    if (!list) // then at least no top-level domain
        return memchr(name->text, '.', name->len) == NULL;
    return psl_is_public_suffix2(list, name->text, PSL_TYPE_ANY);
}

enum domain_parse_result domain_pattern_parse(struct bytes text, struct domain_pattern *ret) {
    if (find_scheme_end(text) < text.len)
        return DOMAIN_PARSE_SCHEME;
    struct domain_pattern pattern = {.is_wildcard = bytes_has_prefix(text, BYTES_LITERAL("*."))};
    if (pattern.is_wildcard)
        text = bytes_of(text.data + 2, text.len - 2);
    enum domain_parse_result result = parse_host(text, &pattern.name);
    if (result != DOMAIN_PARSE_OK)
        return result;
    if (pattern.is_wildcard && is_public_suffix(&pattern.name))
        return DOMAIN_PARSE_PUBLIC_SUFFIX;
    *ret = pattern;
    return DOMAIN_PARSE_OK;
}

void domain_pattern_format(const struct domain_pattern *pattern, char ret_text[DOMAIN_PATTERN_TEXT_MAX + 1]) {
    snprintf(ret_text, DOMAIN_PATTERN_TEXT_MAX + 1, "%s%s", pattern->is_wildcard ? "*." : "",
             pattern->name.text);
}

// Takes a port that is the scheme's own away. Schemes are compared exactly: browsers write them in lower
// case.
static enum domain_parse_result drop_default_port(struct bytes scheme, struct bytes *host) {
    bool is_https = bytes_is_text(scheme, "https");
    if (!is_https && !bytes_is_text(scheme, "http"))
        return DOMAIN_PARSE_ORIGIN;
    struct bytes port = *host;
    struct bytes name = bytes_split(&port, ':');
    if (port.data && !bytes_is_text(port, is_https ? "443" : "80"))
        return DOMAIN_PARSE_PORT;
    *host = name;
    return DOMAIN_PARSE_OK;
}

enum domain_parse_result domain_parse_origin(struct bytes text, struct domain_name *ret) {
    if (bytes_is_text(text, "null"))
        return DOMAIN_PARSE_ORIGIN;
    size_t scheme_end = find_scheme_end(text);
    struct bytes host = text;
    if (scheme_end < text.len) {
        host = bytes_of(text.data + scheme_end + 3, text.len - scheme_end - 3);
        enum domain_parse_result result = drop_default_port(bytes_of(text.data, scheme_end), &host);
        if (result != DOMAIN_PARSE_OK)
            return result;
    }
    return parse_host(host, ret);
}

bool domain_pattern_matches(const struct domain_pattern *pattern, struct bytes name) {
    struct bytes own = domain_name_get_bytes(&pattern->name);
    if (own.len == 0 || !pattern->is_wildcard)
        return own.len > 0 && bytes_is_equal(own, name);
    if (name.len < own.len + 2 || name.data[name.len - own.len - 1] != '.')
        return false;
    return bytes_is_equal(own, bytes_of(name.data + name.len - own.len, own.len));
}
