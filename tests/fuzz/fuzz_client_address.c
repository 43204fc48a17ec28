// Any list of trusted proxies, a line, and any x-forwarded-for, a line each: the address of the client is the
// peer's, none, or one that was said; and with nobody trusted it is the peer's.
#include <assert.h>
#include <string.h>

#include "common/app/client_address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIST_BYTES_MAX = 1024, VALUES_MAX = 8 };

static bool is_said(const struct ip_address *address, const struct bytes *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct bytes rest = values[i];
        struct ip_address said;
        do {
            if (ip_address_parse(bytes_trim(bytes_split(&rest, ',')), &said) == IP_PARSE_OK &&
                ip_address_is_equal(&said, address))
                return true;
        } while (rest.data);
    }
    return false;
}

static struct ip_set *parse_trusted(struct bytes line) {
    char list[LIST_BYTES_MAX + 1] = "", error[256] = "";
    struct ip_set *trusted = NULL;
    size_t len = line.len < LIST_BYTES_MAX ? line.len : LIST_BYTES_MAX;
    if (len > 0)
        memcpy(list, line.data, len);
    if (client_address_parse_trusted(list, &trusted, error, sizeof(error)) != STATUS_OK)
        assert(error[0]);
    return trusted;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes rest = bytes_of(data, size), line = bytes_split(&rest, '\n'), values[VALUES_MAX];
    struct ip_address peer;
    size_t count = 0;
    enum ip_parse_result result = ip_address_parse(BYTES_LITERAL("127.0.0.1"), &peer);
    assert(result == IP_PARSE_OK);
    while (rest.len > 0 && count < VALUES_MAX)
        values[count++] = bytes_split(&rest, '\n');
    struct ip_set *trusted = parse_trusted(line);
    struct ip_address address = client_address_find(trusted, &peer, values, count);
    bool is_peer = ip_address_is_equal(&address, &peer);
    assert(is_peer || address.family == 0 || is_said(&address, values, count));
    assert(trusted || is_peer);
    ip_set_free(trusted);
    return 0;
}
