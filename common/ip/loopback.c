#include "common/ip/loopback.h"

#include "common/ip/prefix.h"

bool loopback_is_host(struct bytes host) {
    struct ip_address address;
    struct ip_prefix v4, v6;
    if (host.len > 2 && host.data[0] == '[')
        host = bytes_of(host.data + 1, host.len - 2);
    if (bytes_is_equal_ignoring_case(host, BYTES_LITERAL("localhost")))
        return true;
    return ip_address_parse(host, &address) == IP_PARSE_OK &&
           ip_prefix_parse(BYTES_LITERAL("127.0.0.0/8"), &v4) == IP_PARSE_OK &&
           ip_prefix_parse(BYTES_LITERAL("::1"), &v6) == IP_PARSE_OK &&
           (ip_prefix_contains_address(&v4, &address) || ip_prefix_contains_address(&v6, &address));
}
