// Domains that a token may be used from. A pattern is a host name, `example.com`, or `*.example.com`: any
// host with one or more labels before `example.com`, not `example.com` itself. Names are compared as A-labels
// in lower case, label by label, never as bare suffixes.
//
// What a page presents is a host or its whole Origin. Patterns name hosts only, so an Origin matches on the
// default port of its scheme (http 80, https 443) and on no other; `null` and other schemes match nothing.
#ifndef LATCHKEY_COMMON_ACCESS_DOMAIN_H
#define LATCHKEY_COMMON_ACCESS_DOMAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"

#define DOMAIN_NAME_MAX 253
#define DOMAIN_PATTERN_TEXT_MAX (DOMAIN_NAME_MAX + 2)

// Outcomes of parsing. The sentence may be shown to whoever typed it.
#define DOMAIN_PARSE_TABLE(X)                                                                             \
    X(OK, "the domain is valid")                                                                          \
    X(EMPTY, "type a domain, such as app.example.com or *.example.com")                                   \
    X(TOO_LONG, "type a domain of at most 253 characters with at most 63 between two dots")               \
    X(SCHEME, "type the domain alone, app.example.com rather than https://app.example.com")               \
    X(PORT, "type the domain without a port: a page on another port than its scheme's own never matches") \
    X(PATH, "type the domain alone, without a path, a query or a fragment")                               \
    X(USER, "type the domain alone, without a user name and @")                                           \
    X(CHARACTER, "type a domain of letters, digits, hyphens and dots, such as app.example.com")           \
    X(EMPTY_LABEL, "type a domain without empty parts: no dot at the beginning, no two dots in a row")    \
    X(HYPHEN, "type a domain whose parts do not begin or end with a hyphen")                              \
    X(ADDRESS, "type a domain, not an address: addresses belong in the list of IPs")                      \
    X(WILDCARD_PLACE, "type * as the whole first part only, such as *.example.com")                       \
    X(PUBLIC_SUFFIX,                                                                                      \
      "type a domain of your own after *., such as *.example.com: under a public suffix such as "         \
      "com or co.uk domains belong to anybody")                                                           \
    X(INTERNATIONAL,                                                                                      \
      "type an international domain as its registry accepts it: this one is not valid (IDNA 2008)")       \
    X(ORIGIN, "send the host or the Origin of the page: https://, the host, and nothing after it")        \
    X(NO_MEMORY, "out of memory")

enum domain_parse_result {
#define DOMAIN_PARSE_ENUM(name, text) DOMAIN_PARSE_##name,
    DOMAIN_PARSE_TABLE(DOMAIN_PARSE_ENUM)
#undef DOMAIN_PARSE_ENUM
        DOMAIN_PARSE_COUNT
};

// What to type instead; static storage.
const char *domain_parse_result_get_text(enum domain_parse_result result);

// A name in canonical form: A-labels, lower case, no trailing dot. Zeroed memory is no domain.
struct domain_name {
    uint8_t len;
    char text[DOMAIN_NAME_MAX + 1]; // NUL-terminated
};

struct domain_pattern {
    struct domain_name name; // without "*."
    bool is_wildcard;
};

static inline struct bytes domain_name_get_bytes(const struct domain_name *name) {
    return bytes_of(name->text, name->len);
}

// Reads a pattern as an administrator types it. May allocate; `ret` is untouched unless the result is
// DOMAIN_PARSE_OK.
MUST_CHECK enum domain_parse_result domain_pattern_parse(struct bytes text, struct domain_pattern *ret);

// "example.com" or "*.example.com": what is stored. NUL-terminated.
void domain_pattern_format(const struct domain_pattern *pattern, char ret_text[DOMAIN_PATTERN_TEXT_MAX + 1]);

// Reads the host or Origin that a page presents. Allocates nothing unless the text is beyond ASCII or has
// `xn--`.
MUST_CHECK enum domain_parse_result domain_parse_origin(struct bytes text, struct domain_name *ret);

bool domain_pattern_matches(const struct domain_pattern *pattern, struct bytes name);

#endif
