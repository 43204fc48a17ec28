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

struct entries {
    struct ip_set_entry *list;
    size_t count;
};

static enum status add_entry(struct entries *entries, struct bytes text, char *ret_error, size_t error_size) {
    struct ip_set_entry entry = {.ends_at_ms = CLOCK_NEVER_MS};
    enum ip_parse_result result = ip_prefix_parse(text, &entry.prefix);
    if (result != IP_PARSE_OK) {
        snprintf(ret_error, error_size, "--trusted-proxies: \"%.*s\": %s", BYTES_FORMAT(text),
                 ip_parse_result_get_text(result));
        return STATUS_INVALID;
    }
    struct ip_set_entry *grown = realloc(entries->list, (entries->count + 1) * sizeof(*grown));
    if (!grown)
        return STATUS_NO_MEMORY;
    grown[entries->count++] = entry;
    entries->list = grown;
    return STATUS_OK;
}

enum status client_address_parse_trusted(const char *list, struct ip_set **ret_trusted, char *ret_error,
                                         size_t error_size) {
    struct bytes whole = bytes_trim(bytes_of_text(list));
    struct bytes rest = whole.len > 0 ? whole : BYTES_EMPTY;
    struct entries entries = {0};
    struct ip_set *trusted = NULL;
    enum status status = STATUS_OK;
    while (rest.data && status == STATUS_OK)
        status = add_entry(&entries, take_last(&rest), ret_error, error_size);
    if (status == STATUS_OK && entries.count > 0 && !(trusted = ip_set_new(entries.list, entries.count)))
        status = STATUS_NO_MEMORY;
    free(entries.list);
    if (status == STATUS_OK)
        *ret_trusted = trusted;
    if (status == STATUS_NO_MEMORY)
        snprintf(ret_error, error_size, "%s", status_get_text(status));
    return status;
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

static const struct metadata_field *find_forwarded(const struct metadata_field *from) {
    return metadata_find(from, BYTES_LITERAL("x-forwarded-for"));
}

static bool names_only(struct bytes list, const struct ip_address *wanted) {
    do {
        struct ip_address address;
        if (ip_address_parse(take_last(&list), &address) != IP_PARSE_OK ||
            !ip_address_is_equal(&address, wanted))
            return false;
    } while (list.data);
    return true;
}

static const struct metadata_field *find_claim(const struct metadata_field *from) {
    return metadata_find(from, BYTES_LITERAL(CLIENT_ADDRESS_FIELD));
}

bool client_address_is_of_peer(const struct ip_set *trusted, const struct grpc_call *call) {
    const struct ip_address *peer = grpc_call_get_peer(call);
    if (find_claim(grpc_call_get_metadata(call)->first))
        return false;
    if (!trusted || !is_trusted(trusted, peer))
        return true;
    const struct metadata_field *field = find_forwarded(grpc_call_get_metadata(call)->first);
    while (field && names_only(field->value, peer))
        field = find_forwarded(field->next);
    return field == NULL;
}

// False for more proxies than anybody has.
static bool gather_forwarded(const struct metadata *fields, struct bytes ret_values[FORWARDED_MAX],
                             size_t *ret_count) {
    *ret_count = 0;
    const struct metadata_field *field = find_forwarded(fields->first);
    for (; field; field = find_forwarded(field->next)) {
        if (*ret_count == FORWARDED_MAX)
            return false;
        ret_values[(*ret_count)++] = field->value;
    }
    return true;
}

struct ip_address client_address_find_in(const struct ip_set *trusted, const struct ip_address *peer,
                                         const struct metadata *fields) {
    struct bytes values[FORWARDED_MAX];
    size_t count;
    if (!trusted)
        return *peer;
    if (!gather_forwarded(fields, values, &count))
        return (struct ip_address){0}; // which nothing lists
    return client_address_find(trusted, peer, values, count);
}

struct ip_address client_address_find_by_hops(unsigned hops, const struct ip_address *peer,
                                              const struct metadata *fields) {
    const struct ip_address nobody = {0};
    struct bytes values[FORWARDED_MAX];
    size_t count;
    struct ip_address address = *peer;
    bool is_right_most = true;
    if (!gather_forwarded(fields, values, &count))
        return nobody;
    while (hops > 0 && count-- > 0) {
        struct bytes rest = values[count];
        for (; rest.data && hops > 0; is_right_most = false) {
            if (ip_address_parse(take_last(&rest), &address) != IP_PARSE_OK)
                return nobody;
            if (!is_right_most || !ip_address_is_equal(&address, peer))
                hops--;
        }
    }
    return hops == 0 ? address : nobody;
}

struct ip_address client_address_find_of_call(const struct ip_set *trusted, const struct grpc_call *call) {
    return client_address_find_in(trusted, grpc_call_get_peer(call), grpc_call_get_metadata(call));
}

enum status client_address_check(const struct ip_set *trusted, const struct grpc_call *call,
                                 struct fault *fault) {
    struct ip_address claimed, found;
    const struct metadata_field *field = find_claim(grpc_call_get_metadata(call)->first);
    if (!field)
        return STATUS_OK;
    found = client_address_find_of_call(trusted, call);
    if (!find_claim(field->next) && ip_address_parse(field->value, &claimed) == IP_PARSE_OK &&
        ip_address_is_equal(&claimed, &found))
        return STATUS_OK;
    return fault_set(fault, STATUS_PERMISSION_DENIED, "PROXY_NOT_TRUSTED",
                     "this is asked for somebody else, and the server that asks is not in --trusted-proxies");
}
