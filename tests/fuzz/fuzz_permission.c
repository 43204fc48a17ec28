// Lines of any bytes as a catalogue and as grants over it: a grant covers what a walk over all names says.
#include <assert.h>

#include "common/access/permission.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINES_MAX = 64 };

static bool covers(struct bytes grant, struct bytes name, bool is_operator_only) {
    if (bytes_is_equal(grant, name))
        return true;
    bool is_group = grant.len > 2 && grant.data[grant.len - 1] == '*' && grant.data[grant.len - 2] == '.';
    return is_group && !is_operator_only && bytes_has_prefix(name, bytes_of(grant.data, grant.len - 1));
}

static void check_grant(const struct permission_catalogue *catalogue, struct bytes grant,
                        const struct permission_definition *definitions, size_t count) {
    struct permission_set *set = permission_set_new(permission_catalogue_get_limit(catalogue));
    assert(set);
    bool covers_any = permission_catalogue_expand(catalogue, grant, set), expected_any = false;
    assert(covers_any == (permission_set_get_count(set) > 0));
    assert(permission_grant_is_valid(grant) || !covers_any);
    for (size_t i = 0; i < count; i++) {
        uint32_t id = permission_catalogue_find_id(catalogue, definitions[i].name);
        assert((id != PERMISSION_ID_NONE) == permission_is_valid(definitions[i].name));
        if (id == PERMISSION_ID_NONE)
            continue;
        assert(bytes_is_text(definitions[i].name, permission_catalogue_find_name(catalogue, id)));
        // Of those with one name the first counts.
        bool is_first = true;
        for (size_t k = 0; k < i && is_first; k++)
            is_first = !bytes_is_equal(definitions[k].name, definitions[i].name);
        if (!is_first)
            continue;
        bool is_covered = permission_grant_is_valid(grant) &&
                          covers(grant, definitions[i].name, definitions[i].is_operator_only);
        assert(permission_set_has(set, id) == is_covered);
        expected_any = expected_any || is_covered;
    }
    assert(covers_any == expected_any);
    permission_set_free(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct permission_definition definitions[LINES_MAX];
    struct bytes rest = bytes_of(data, size);
    size_t count = 0;
    while (count < LINES_MAX && rest.len > 0) {
        struct bytes line = bytes_split(&rest, '\n');
        bool is_operator_only = bytes_has_prefix(line, BYTES_LITERAL("!"));
        if (is_operator_only)
            line = bytes_of(line.data + 1, line.len - 1);
        definitions[count++] = (struct permission_definition){line, is_operator_only};
    }
    struct permission_catalogue *catalogue = permission_catalogue_new(NULL, definitions, count);
    assert(catalogue);
    for (size_t i = 0; i < count; i++) {
        check_grant(catalogue, definitions[i].name, definitions, count);
        permission_catalogue_find_nearest(catalogue, definitions[i].name);
    }
    permission_catalogue_free(catalogue);
    return 0;
}
