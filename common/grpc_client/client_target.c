// Targets as text. Only the shape is checked: whether a name has an address is found out by connecting.
#include "common/grpc_client/client_target.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define PORT_MAX 65535

// Copies what fits into a field of the target; the lengths were checked before.
static void copy(char *to, struct bytes from) {
    memcpy(to, from.data, from.len);
    to[from.len] = '\0';
}

static bool is_host_character(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
}

static bool is_ipv6_character(uint8_t c) {
    // '%' begins a zone, which a link-local address needs.
    return is_host_character(c) || c == ':' || c == '%';
}

static bool is_made_of(struct bytes text, bool (*is_allowed)(uint8_t)) {
    for (size_t i = 0; i < text.len; i++)
        if (!is_allowed(text.data[i]))
            return false;
    return true;
}

static bool parse_unix(struct bytes path, struct client_target *ret, char *ret_error, size_t error_size) {
    // unix:///path is what other gRPC clients write.
    if (bytes_has_prefix(path, BYTES_LITERAL("//")))
        path = bytes_of(path.data + 2, path.len - 2);
    if (path.len == 0 || path.data[0] != '/' || memchr(path.data, 0, path.len)) {
        snprintf(ret_error, error_size,
                 "after unix: comes the full path of a socket, e.g. unix:/run/latchkey.sock");
        return false;
    }
    if (path.len > CLIENT_TARGET_PATH_MAX) {
        snprintf(ret_error, error_size, "the path of a socket has at most %d bytes", CLIENT_TARGET_PATH_MAX);
        return false;
    }
    *ret = (struct client_target){.is_unix = true};
    copy(ret->path, path);
    snprintf(ret->authority, sizeof(ret->authority), "localhost");
    snprintf(ret->text, sizeof(ret->text), "unix:%s", ret->path);
    return true;
}

// Splits "host:port" and "[address]:port"; `*ret_port` is empty without one.
static bool split(struct bytes text, struct bytes *ret_host, struct bytes *ret_port, bool *ret_in_brackets) {
    *ret_in_brackets = text.len > 0 && text.data[0] == '[';
    if (!*ret_in_brackets) {
        *ret_port = text;
        *ret_host = bytes_split(ret_port, ':');
        return memchr(ret_port->data ? ret_port->data : (const uint8_t *)"", ':', ret_port->len) == NULL;
    }
    struct bytes rest = bytes_of(text.data + 1, text.len - 1);
    *ret_host = bytes_split(&rest, ']');
    *ret_port = rest.len > 1 && rest.data[0] == ':' ? bytes_of(rest.data + 1, rest.len - 1) : BYTES_EMPTY;
    return rest.len == 0 || rest.data[0] == ':';
}

static bool parse_internet(struct bytes text, struct client_target *ret, char *ret_error, size_t error_size) {
    struct bytes host, port_text;
    bool in_brackets;
    if (!split(text, &host, &port_text, &in_brackets)) {
        snprintf(ret_error, error_size, "an IPv6 address stands in brackets: [2001:db8::1]:7070");
        return false;
    }
    if (host.len == 0 || host.len > CLIENT_TARGET_HOST_MAX ||
        !is_made_of(host, in_brackets ? is_ipv6_character : is_host_character)) {
        snprintf(ret_error, error_size,
                 "\"%.*s\" is no host name or address; type host:port, e.g. 127.0.0.1:7070",
                 BYTES_FORMAT(host));
        return false;
    }
    uint64_t port;
    if (!bytes_parse_unsigned(port_text, PORT_MAX, &port) || port == 0) {
        snprintf(ret_error, error_size, "a port from 1 to 65535 is missing; type host:port, e.g. %.*s:7070",
                 BYTES_FORMAT(text.data[0] == '[' ? text : host));
        return false;
    }
    *ret = (struct client_target){.is_unix = false};
    copy(ret->host, host);
    copy(ret->port, port_text);
    snprintf(ret->authority, sizeof(ret->authority), in_brackets ? "[%s]:%s" : "%s:%s", ret->host, ret->port);
    snprintf(ret->text, sizeof(ret->text), "%s", ret->authority);
    return true;
}

bool client_target_parse(struct bytes text, struct client_target *ret_target, char *ret_error,
                         size_t error_size) {
    struct bytes prefix = BYTES_LITERAL("unix:");
    if (bytes_has_prefix(text, prefix))
        return parse_unix(bytes_of(text.data + prefix.len, text.len - prefix.len), ret_target, ret_error,
                          error_size);
    if (memmem(text.data ? text.data : (const uint8_t *)"", text.len, "://", 3)) {
        snprintf(ret_error, error_size, "an address has no scheme; type host:port, e.g. 127.0.0.1:7070");
        return false;
    }
    return parse_internet(text, ret_target, ret_error, error_size);
}
