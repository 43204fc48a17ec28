#include "services/validator/image/grant_text.h"

bool grant_text_split(struct bytes text, struct arena *arena, const struct bytes **ret_grants,
                      size_t *ret_count) {
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += text.data[i] == '\n';
    struct bytes *grants = ARENA_NEW_ARRAY(arena, struct bytes, count);
    if (!grants)
        return false;
    for (size_t i = 0; i < count; i++)
        grants[i] = bytes_split(&text, '\n');
    *ret_grants = grants;
    *ret_count = count;
    return true;
}
