// ADDRESS:PORT by the strict parser of common/ip, so that what is refused in an allowlist is refused here
// too.
#include "common/net/listen_address.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "common/base/bytes.h"
#include "common/ip/address.h"

#define FORM \
    "type ADDRESS:PORT, such as 127.0.0.1:7070 or [::1]:7070, *:7070 for all addresses, or unix:/path"

static const struct bytes unix_scheme = {(const uint8_t *)"unix:", 5};

static bool parse_path(struct bytes path, struct listen_address *ret_address, const char **ret_reason) {
    struct sockaddr_un *to = (struct sockaddr_un *)&ret_address->socket;
    if (path.len == 0 || path.len >= sizeof(to->sun_path)) {
        *ret_reason = "type a path of 1 to 107 bytes after unix:";
        return false;
    }
    to->sun_family = AF_UNIX;
    memcpy(to->sun_path, path.data, path.len);
    ret_address->length = sizeof(*to);
    ret_address->is_local = true;
    return true;
}

static void set_v4(struct listen_address *ret_address, const struct ip_address *from, in_port_t port) {
    struct sockaddr_in *to = (struct sockaddr_in *)&ret_address->socket;
    to->sin_family = AF_INET;
    to->sin_port = htons(port);
    memcpy(&to->sin_addr, from->bytes, 4);
    ret_address->length = sizeof(*to);
    ret_address->is_local = from->bytes[0] == 127;
}

static void set_v6(struct listen_address *ret_address, const struct ip_address *from, in_port_t port) {
    struct sockaddr_in6 *to = (struct sockaddr_in6 *)&ret_address->socket;
    to->sin6_family = AF_INET6;
    to->sin6_port = htons(port);
    memcpy(&to->sin6_addr, from->bytes, 16);
    ret_address->length = sizeof(*to);
    ret_address->is_local = IN6_IS_ADDR_LOOPBACK(&to->sin6_addr);
}

// Cuts "HOST:PORT" at the last colon and takes the brackets of an IPv6 host off.
static bool split_host_port(struct bytes text, struct bytes *ret_host, struct bytes *ret_port) {
    const uint8_t *colon = text.len ? memrchr(text.data, ':', text.len) : NULL;
    if (!colon)
        return false;
    struct bytes host = bytes_of(text.data, (size_t)(colon - text.data));
    *ret_port = bytes_of(colon + 1, text.len - host.len - 1);
    bool is_bracketed = host.len >= 2 && host.data[0] == '[' && host.data[host.len - 1] == ']';
    if (is_bracketed)
        host = bytes_of(host.data + 1, host.len - 2);
    // Brackets stand around IPv6 addresses, and around nothing else.
    bool has_colon = host.len > 0 && memchr(host.data, ':', host.len);
    if (has_colon != is_bracketed)
        return false;
    *ret_host = host;
    return true;
}

bool listen_address_parse(const char *text, struct listen_address *ret_address, const char **ret_reason) {
    struct listen_address address = {0};
    struct bytes all = bytes_of_text(text), host, port_text;
    if (bytes_has_prefix(all, unix_scheme)) {
        struct bytes path = bytes_of(all.data + unix_scheme.len, all.len - unix_scheme.len);
        if (!parse_path(path, &address, ret_reason))
            return false;
        *ret_address = address;
        return true;
    }
    uint64_t port;
    if (!split_host_port(all, &host, &port_text) || !bytes_parse_unsigned(port_text, 65535, &port)) {
        *ret_reason = FORM;
        return false;
    }
    struct ip_address ip = {.family = IP_FAMILY_V6};
    address.is_wildcard = bytes_is_text(host, "*");
    if (!address.is_wildcard) {
        enum ip_parse_result result = ip_address_parse(host, &ip);
        if (result != IP_PARSE_OK) {
            *ret_reason = bytes_is_text(host, "localhost") ? FORM : ip_parse_result_get_text(result);
            return false;
        }
    }
    if (ip.family == IP_FAMILY_V4)
        set_v4(&address, &ip, (in_port_t)port);
    else
        set_v6(&address, &ip, (in_port_t)port);
    *ret_address = address;
    return true;
}
