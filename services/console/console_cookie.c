#include "services/console/console_cookie.h"

#include <ctype.h>

static bool is_word(struct bytes value) {
    for (size_t i = 0; i < value.len; i++)
        if (!isalnum(value.data[i]) && value.data[i] != '_')
            return false;
    return value.len > 0;
}

// why none of two: one of them is not ours, and which one is not to be seen.
static void look_in(struct bytes pairs, const char *name, struct bytes *found, unsigned *count) {
    while (pairs.data) {
        struct bytes value = bytes_trim(bytes_split(&pairs, ';'));
        if (!bytes_is_text(bytes_split(&value, '='), name))
            continue;
        *found = value;
        ++*count;
    }
}

struct bytes console_cookie_find(const struct metadata *fields, const char *name) {
    const struct bytes field_name = BYTES_LITERAL("cookie");
    struct bytes found = BYTES_EMPTY;
    unsigned count = 0;
    for (const struct metadata_field *field = metadata_find(fields->first, field_name); field;
         field = metadata_find(field->next, field_name))
        look_in(field->value, name, &found, &count);
    return count == 1 && is_word(found) ? found : BYTES_EMPTY;
}

#define ATTRIBUTES "%s=%.*s; Path=/; HttpOnly; Secure; SameSite="

static void add(const struct http_request *request, struct http_answer *answer, const char *text) {
    if (text)
        http_answer_add(request, answer, "set-cookie", bytes_of_text(text));
}

void console_cookie_set(const struct http_request *request, struct http_answer *answer, const char *name,
                        struct bytes value, int64_t max_age_s) {
    add(request, answer,
        arena_format(request->arena, ATTRIBUTES "Strict; Max-Age=%lld", name, BYTES_FORMAT(value),
                     (long long)max_age_s));
}

void console_cookie_set_for_return(const struct http_request *request, struct http_answer *answer,
                                   const char *name, struct bytes value, int64_t max_age_s) {
    add(request, answer,
        arena_format(request->arena, ATTRIBUTES "Lax; Max-Age=%lld", name, BYTES_FORMAT(value),
                     (long long)max_age_s));
}
