// Ranges of IPv6 in which another address is embedded. They are never translated: a rule for the IPv4 address
// does not match them and the other way round. Whoever adds such a rule is told.
#ifndef LATCHKEY_COMMON_IP_SPECIAL_H
#define LATCHKEY_COMMON_IP_SPECIAL_H

#include "common/ip/prefix.h"

#define IP_SPECIAL_TABLE(X)                                                                                  \
    X(NONE, "")                                                                                              \
    X(NAT64, "this is a NAT64 range (64:ff9b::/96): it does not match the IPv4 addresses written inside it") \
    X(SIX_TO_FOUR,                                                                                           \
      "this is a 6to4 range (2002::/16): it does not match the IPv4 addresses written inside it")            \
    X(TEREDO, "this is a Teredo range (2001::/32): it does not match the IPv4 addresses written inside it")  \
    X(V4_COMPATIBLE,                                                                                         \
      "this is an IPv4-compatible range (::/96), which nobody uses: type the IPv4 address alone")

enum ip_special {
#define IP_SPECIAL_ENUM(name, text) IP_SPECIAL_##name,
    IP_SPECIAL_TABLE(IP_SPECIAL_ENUM)
#undef IP_SPECIAL_ENUM
        IP_SPECIAL_COUNT
};

// The range that the whole prefix lies in. ::/128 and ::1/128 are ordinary addresses, not IPv4-compatible
// ones.
enum ip_special ip_prefix_get_special(const struct ip_prefix *prefix);

// A sentence for a warning; static storage, "" for NONE.
const char *ip_special_get_text(enum ip_special special);

#endif
