// E-mail addresses of people, as `local@domain`: letters, digits and the other characters that need no quotes
// before the @ (RFC 5321's Dot-string), a domain name with at least one dot behind it. Quoted local parts,
// addresses as domains and local parts beyond ASCII are refused: hardly a mail server takes them, and what
// looks like one is a typing error.
#ifndef LATCHKEY_SERVICES_INVITATION_EMAIL_ADDRESS_H
#define LATCHKEY_SERVICES_INVITATION_EMAIL_ADDRESS_H

#include "common/base/bytes.h"
#include "common/base/compiler.h"

#define EMAIL_LOCAL_MAX 64
#define EMAIL_ADDRESS_MAX 254

// Outcomes of parsing. The sentence may be shown to whoever typed it.
#define EMAIL_PARSE_TABLE(X)                                                                               \
    X(OK, "the e-mail address is valid")                                                                   \
    X(EMPTY, "type an e-mail address, such as ada@example.com")                                            \
    X(TOO_LONG, "type an e-mail address of at most 254 characters with at most 64 before the @")           \
    X(SPACE, "type the e-mail address alone, ada@example.com: no spaces, no name and no < > around it")    \
    X(FORM, "type one e-mail address with one @ in it, such as ada@example.com")                           \
    X(LOCAL_EMPTY, "type what stands before the @, such as ada in ada@example.com")                        \
    X(LOCAL_CHARACTER, "type only letters, digits and .!#$%&'*+-/=?^_`{|}~ before the @, without quotes")  \
    X(LOCAL_DOT, "type no dot at the beginning or end of what stands before the @, and no two in a row")   \
    X(DOMAIN, "type the domain behind the @ as letters, digits, hyphens and dots, such as example.com")    \
    X(DOMAIN_SHORT, "type the whole domain behind the @, ada@example.com rather than ada@example")         \
    X(DOMAIN_ADDRESS, "type a domain behind the @, such as example.com, not an IP address")                \
    X(DOMAIN_INTERNATIONAL, "type the international domain behind the @ as its registry accepts it: this " \
                            "one is not valid (IDNA 2008)")                                                \
    X(NO_MEMORY, "out of memory")

enum email_parse_result {
#define EMAIL_PARSE_ENUM(name, text) EMAIL_PARSE_##name,
    EMAIL_PARSE_TABLE(EMAIL_PARSE_ENUM)
#undef EMAIL_PARSE_ENUM
        EMAIL_PARSE_COUNT
};

// What to type instead; static storage.
const char *email_parse_result_get_text(enum email_parse_result result);

// What is before the @ as typed, the domain in lower case and A-labels. Zeroed memory is no address.
struct email_address {
    char text[EMAIL_ADDRESS_MAX + 1]; // NUL-terminated
};

// May allocate; `ret` is untouched unless the result is EMAIL_PARSE_OK.
MUST_CHECK enum email_parse_result email_address_parse(struct bytes text, struct email_address *ret);

#endif
