// Any bytes as a file of permissions: what is taken is a catalogue that the database would take, and what is
// not is told in fields.
#include <assert.h>

#include "common/access/permission.h"
#include "services/cli/permissions_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_taken(const struct permissions_file *file) {
    for (size_t i = 0; i < file->count; i++) {
        assert(permission_is_valid(file->names[i]));
        assert(!bytes_has_prefix(file->names[i], BYTES_LITERAL("latchkey.")));
        assert(!memchr(file->names[i].data, '-', file->names[i].len));
        assert(bytes_is_utf8(file->descriptions[i]));
        assert(file->descriptions[i].len == 0 ||
               !memchr(file->descriptions[i].data, '\0', file->descriptions[i].len));
        assert(bytes_count_code_points(file->descriptions[i]) <= PERMISSIONS_FILE_DESCRIPTION_MAX);
        for (size_t k = 0; k < i; k++)
            assert(!bytes_is_equal(file->names[i], file->names[k]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena arena;
    struct fault fault;
    struct permissions_file file;
    arena_init(&arena, 0);
    fault_init(&fault, &arena);
    enum status status = permissions_file_parse(bytes_of(data, size), &arena, &fault, &file);
    if (status == STATUS_OK)
        check_taken(&file);
    else
        assert(status == STATUS_INVALID && fault.field_count > 0);
    arena_fini(&arena);
    return 0;
}
