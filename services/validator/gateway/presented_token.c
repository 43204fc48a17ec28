#include "services/validator/gateway/presented_token.h"

#include <string.h>

#define AUTHORIZATION BYTES_LITERAL("authorization")
#define ACCESS_TOKEN BYTES_LITERAL("x-access-token")
#define COOKIE BYTES_LITERAL("cookie")

// Of "name=value"; leaves the value.
static bool take_name(struct bytes *pair, const char *name) {
    return bytes_is_text(bytes_split(pair, '='), name);
}

// In "a=b; name=value; c=d"; the first of that name, as browsers send the most specific one first.
static struct bytes find_cookie(const struct metadata *fields, const char *name) {
    struct bytes rest = metadata_find_only(fields, COOKIE);
    while (rest.data) {
        struct bytes value = bytes_trim(bytes_split(&rest, ';'));
        if (take_name(&value, name))
            return value;
    }
    return BYTES_EMPTY;
}

struct bytes presented_token_find(const struct metadata *fields, const char *cookie) {
    bool is_in_a_field =
        metadata_find(fields->first, AUTHORIZATION) || metadata_find(fields->first, ACCESS_TOKEN);
    if (cookie && *cookie && !is_in_a_field)
        return find_cookie(fields, cookie);
    return bearer_find_secret_in(fields);
}

// A token of HTTP's grammar.
bool presented_token_accept_cookie(const char *name, const char **ret_reason) {
    *ret_reason = "type a name without spaces, ; and =, such as session";
    for (; *name; name++)
        if (*name <= ' ' || *name >= 0x7f || strchr("()<>@,;:\\\"/[]?={}", *name))
            return false;
    return true;
}

static bool may_be_token(struct bytes value, const struct bearer_shape *shape) {
    unsigned lane;
    struct bytes scheme = bytes_split(&value, ' ');
    return bytes_is_equal_ignoring_case(scheme, BYTES_LITERAL("bearer")) &&
           bearer_has_shape(bytes_trim(value), shape, &lane);
}

// Also among several that somebody has joined to one field with commas.
static bool may_hold_token(struct bytes value, const struct bearer_shape *shape) {
    bool may_hold = may_be_token(value, shape);
    while (value.data && !may_hold)
        may_hold = may_be_token(bytes_trim(bytes_split(&value, ',')), shape);
    return may_hold;
}

bool presented_token_is_in_authorization(const struct metadata *fields, const struct bearer_shape *shape) {
    const struct metadata_field *field = metadata_find(fields->first, AUTHORIZATION);
    while (field && !may_hold_token(field->value, shape))
        field = metadata_find(field->next, AUTHORIZATION);
    return field != NULL;
}

static uint8_t *append(uint8_t *to, const uint8_t *begin, struct bytes text) {
    if (to > begin)
        to = (uint8_t *)memcpy(to, "; ", 2) + 2;
    return (uint8_t *)memcpy(to, text.data, text.len) + text.len;
}

// Room for one cookie more than there can be, as each gets "; " in front of it where ";" alone may stand.
enum status presented_token_cut_cookie(const struct metadata *fields, const char *cookie, struct arena *arena,
                                       bool *ret_is_there, struct bytes *ret_rest) {
    *ret_is_there = false;
    *ret_rest = BYTES_EMPTY;
    size_t room = 0;
    const struct metadata_field *field = metadata_find(fields->first, COOKIE);
    for (const struct metadata_field *each = field; each; each = metadata_find(each->next, COOKIE))
        room += 2 * each->value.len + 2;
    uint8_t *begin = arena_allocate(arena, room), *to = begin;
    if (!begin)
        return STATUS_NO_MEMORY;
    for (; field; field = metadata_find(field->next, COOKIE))
        for (struct bytes rest = field->value; rest.data;) {
            struct bytes pair = bytes_trim(bytes_split(&rest, ';')), value = pair;
            if (take_name(&value, cookie))
                *ret_is_there = true;
            else if (pair.len > 0)
                to = append(to, begin, pair);
        }
    *ret_rest = bytes_of(begin, (size_t)(to - begin));
    return STATUS_OK;
}
