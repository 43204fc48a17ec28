#include "common/app/client_address.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"

enum { FORWARDED_MAX = 16 };

// Cuts the last comma-separated element off `*list` and returns it trimmed. With the first one, empty or not,
// the list's data is NULL.
static struct bytes take_last(struct bytes *list) {
    size_t start = list->len;
    while (start > 0 && list->data[start - 1] != ',')
        start--;
    struct bytes last = bytes_of(list->data + start, list->len - start);
    *list = start > 0 ? bytes_of(list->data, start - 1) : BYTES_EMPTY;
    return bytes_trim(last);
}

enum status client_address_parse_trusted(const char *list, struct ip_set **ret_trusted, char *ret_error,
                                         size_t error_size) {
    struct bytes whole = bytes_trim(bytes_of_text(list));
    struct bytes rest = whole.len > 0 ? whole : BYTES_EMPTY;
    struct ip_set_entry *entries = NULL;
    size_t count = 0;

    while (rest.data) {
        struct bytes item = take_last(&rest);
        struct ip_set_entry entry = {.ends_at_ms = CLOCK_NEVER_MS};
        enum ip_parse_result result = ip_prefix_parse(item, &entry.prefix);
        if (result != IP_PARSE_OK) {
            snprintf(ret_error, error_size, "--trusted-proxies: \"%.*s\": %s", BYTES_FORMAT(item),
                     ip_parse_result_get_text(result));
            free(entries);
            return STATUS_INVALID;
        }
        struct ip_set_entry *grown = realloc(entries, (count + 1) * sizeof(*grown));
        if (!grown) {
            free(entries);
            return STATUS_NO_MEMORY;
        }
        entries = grown;
        entries[count++] = entry;
    }

    struct ip_set *trusted = count ? ip_set_new(entries, count) : NULL;
    free(entries);
    if (count && !trusted)
        return STATUS_NO_MEMORY;
    *ret_trusted = trusted;
    return STATUS_OK;
}

static bool is_trusted(const struct ip_set *trusted, const struct ip_address *address) {
    return ip_set_contains(trusted, address, 0);
}

struct ip_address client_address_find(const struct ip_set *trusted, const struct ip_address *peer,
                                      const struct bytes *forwarded, size_t forwarded_count) {
    struct ip_address address = *peer;
    for (size_t i = forwarded_count; i-- > 0;) {
        struct bytes rest = forwarded[i];
        do {
            if (!is_trusted(trusted, &address))
                return address;
            if (ip_address_parse(take_last(&rest), &address) != IP_PARSE_OK)
                return (struct ip_address){0};
        } while (rest.data);
    }
    return address;
}

struct ip_address client_address_find_of_call(const struct ip_set *trusted, const struct grpc_call *call) {
    const struct bytes name = BYTES_LITERAL("x-forwarded-for");
    struct bytes values[FORWARDED_MAX];
    size_t count = 0;
    if (!trusted)
        return *grpc_call_get_peer(call);
    const struct metadata_field *field = metadata_find(grpc_call_get_metadata(call)->first, name);
    for (; field; field = metadata_find(field->next, name)) {
        if (count == FORWARDED_MAX) // more proxies than anybody has: an address that nothing lists
            return (struct ip_address){0};
        values[count++] = field->value;
    }
    return client_address_find(trusted, grpc_call_get_peer(call), values, count);
}
