// Any header block, a field a line, `name: value`, to the reading of a request's head, with Connect's GET and
// what is done with metadata after it: whatever comes, what is kept is bounded and can be found again.
#include <assert.h>

#include "common/grpc/connect_get.h"
#include "common/grpc/request_head.h"
#include "common/protobuf/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES_MAX = 1024 * 1024 };

static void add_line(struct request_head *head, struct arena *arena, struct bytes line) {
    bool is_pseudo = line.len > 0 && line.data[0] == ':';
    struct bytes rest = bytes_of(line.data + is_pseudo, line.len - is_pseudo);
    struct bytes name = bytes_split(&rest, ':');
    name = bytes_of(name.data - is_pseudo, name.len + is_pseudo);
    request_head_add(head, arena, name, bytes_trim(rest));
}

static void check_field(const struct metadata *metadata, const struct metadata_field *field,
                        struct arena *arena) {
    struct bytes ignored;
    assert(field->name.data[field->name.len] == '\0' && field->value.data[field->value.len] == '\0');
    const struct metadata_field *found = metadata_find(metadata->first, field->name);
    assert(found && bytes_is_equal(found->name, field->name));
    if (metadata_name_is_binary(field->name))
        (void)!base64_decode(arena, field->value, &ignored);
    (void)metadata_name_is_sendable(field->name);
    (void)metadata_value_is_sendable(field->value);
}

static void check_path(struct bytes path, struct arena *arena) {
    struct connect_get get;
    (void)bytes_split(&path, '?');
    if (connect_get_parse(path, arena, &get))
        assert(get.content_type == CONTENT_TYPE_CONNECT_PROTO ||
               get.content_type == CONTENT_TYPE_CONNECT_JSON);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena arena;
    struct request_head head;
    struct bytes rest = bytes_of(data, size);
    arena_init(&arena, ARENA_BYTES_MAX);
    request_head_init(&head);
    while (rest.len > 0)
        add_line(&head, &arena, bytes_split(&rest, '\n'));
    assert(head.metadata.size_bytes <= REQUEST_HEAD_BYTES_MAX);
    assert(head.metadata.count <= REQUEST_HEAD_FIELDS_MAX);
    assert(head.content_type < CONTENT_TYPE_COUNT);
    size_t count = 0;
    for (const struct metadata_field *field = head.metadata.first; field; field = field->next, count++)
        check_field(&head.metadata, field, &arena);
    assert(count == head.metadata.count);
    check_path(head.path, &arena);
    arena_fini(&arena);
    return 0;
}
