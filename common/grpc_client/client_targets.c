#include "common/grpc_client/client_targets.h"

#include <stdio.h>

#include "common/ip/address.h"

static const struct scheme {
    struct bytes prefix;
    enum client_scheme scheme;
    enum ip_family family; // of every host; NONE = any host
    bool is_url;           // may end in a slash
} schemes[] = {
    {BYTES_LITERAL("https://"), CLIENT_SCHEME_HTTPS, IP_FAMILY_NONE, true},
    {BYTES_LITERAL("http://"), CLIENT_SCHEME_HTTP, IP_FAMILY_NONE, true},
    {BYTES_LITERAL("dns:///"), CLIENT_SCHEME_NONE, IP_FAMILY_NONE, false},
    {BYTES_LITERAL("ipv4:"), CLIENT_SCHEME_NONE, IP_FAMILY_V4, false},
    {BYTES_LITERAL("ipv6:"), CLIENT_SCHEME_NONE, IP_FAMILY_V6, false},
};

static const struct scheme no_scheme;

static const struct scheme *find_scheme(struct bytes text) {
    for (size_t i = 0; i < ARRAY_LENGTH(schemes); i++)
        if (bytes_has_prefix(text, schemes[i].prefix))
            return &schemes[i];
    return &no_scheme;
}

static bool has_family(const struct client_target *target, enum ip_family family) {
    struct ip_address address;
    return family == IP_FAMILY_NONE ||
           (ip_address_parse(bytes_of_text(target->host), &address) == IP_PARSE_OK &&
            address.family == (uint8_t)family);
}

static bool add(struct client_targets *targets, struct bytes text, const struct scheme *scheme,
                char *ret_error, size_t error_size) {
    if (targets->count == CLIENT_TARGETS_MAX) {
        snprintf(ret_error, error_size, "there are more than %d addresses", CLIENT_TARGETS_MAX);
        return false;
    }
    struct client_target *target = &targets->all[targets->count];
    if (!client_target_parse(text, target, ret_error, error_size))
        return false;
    if (target->is_unix && targets->count > 0) {
        snprintf(ret_error, error_size, "a socket's path stands alone: unix:/run/latchkey.sock");
        return false;
    }
    if (!has_family(target, scheme->family)) {
        snprintf(ret_error, error_size, "after %.*s come addresses with their ports, not names",
                 BYTES_FORMAT(scheme->prefix));
        return false;
    }
    targets->count++;
    return true;
}

bool client_targets_parse(struct bytes text, struct client_targets *ret_targets, char *ret_error,
                          size_t error_size) {
    const struct scheme *scheme = find_scheme(text);
    ret_targets->count = 0;
    ret_targets->scheme = scheme->scheme;
    // The path of a socket may hold commas.
    if (bytes_has_prefix(text, BYTES_LITERAL("unix:")))
        return add(ret_targets, text, scheme, ret_error, error_size);
    struct bytes rest =
        bytes_of(text.data ? text.data + scheme->prefix.len : NULL, text.len - scheme->prefix.len);
    if (scheme->is_url && rest.len > 0 && rest.data[rest.len - 1] == '/')
        rest.len--;
    do {
        if (!add(ret_targets, bytes_trim(bytes_split(&rest, ',')), scheme, ret_error, error_size))
            return false;
    } while (rest.data);
    return true;
}
