// Two tables over the files of the set: the files themselves, few enough to be scanned, and the symbols,
// sorted by name. Everything lives in one arena that is filled once.
#include "common/protobuf/descriptor_index.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/protobuf/message.h"
#include "google/protobuf/descriptor.pb-c.h"

#define FILE_TAG 0x0a   // field 1, length-delimited: FileDescriptorSet.file
#define VARINT_SHIFT 28 // five bytes: lengths below 2^32

struct symbol {
    const char *name;
    size_t file;
};

struct descriptor_index {
    struct arena arena;
    struct descriptor_file *files;
    size_t file_count;
    struct symbol *symbols;
    size_t symbol_count, symbol_room;
    enum status failure; // sticky while it is filled
};

static uint32_t read_length(struct cursor *cursor) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift <= VARINT_SHIFT; shift += 7) {
        uint8_t byte = cursor_read_u8(cursor);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
    }
    cursor->failed = true;
    return 0;
}

// The next file of the set; false at its end and when it is malformed.
static bool read_file(struct cursor *cursor, struct bytes *ret_file) {
    if (cursor->rest.len == 0)
        return false;
    if (cursor_read_u8(cursor) != FILE_TAG)
        cursor->failed = true;
    *ret_file = cursor_read_bytes(cursor, read_length(cursor));
    return !cursor->failed;
}

static void add_symbol(struct descriptor_index *index, const char *name) {
    if (index->symbol_count == index->symbol_room) {
        index->failure = STATUS_MALFORMED;
        return;
    }
    index->symbols[index->symbol_count++] = (struct symbol){.name = name, .file = index->file_count};
}

// The full name of what stands inside of `scope` ("" = the top), which becomes a symbol.
static const char *declare(struct descriptor_index *index, const char *scope, const char *name) {
    if (!name) {
        index->failure = STATUS_MALFORMED;
        return "";
    }
    const char *full = arena_format(&index->arena, "%s%s%s", scope, scope[0] ? "." : "", name);
    if (!full) {
        index->failure = STATUS_NO_MEMORY;
        return "";
    }
    add_symbol(index, full);
    return full;
}

// Values of an enum are declared beside the enum, not inside of it.
static void declare_enum(struct descriptor_index *index, const char *scope,
                         const Google__Protobuf__EnumDescriptorProto *declared) {
    declare(index, scope, declared->name);
    for (size_t i = 0; i < declared->n_value; i++)
        declare(index, scope, declared->value[i]->name);
}

static void declare_message(struct descriptor_index *index, const char *scope,
                            const Google__Protobuf__DescriptorProto *declared) {
    const char *name = declare(index, scope, declared->name);
    for (size_t i = 0; i < declared->n_field; i++)
        declare(index, name, declared->field[i]->name);
    for (size_t i = 0; i < declared->n_oneof_decl; i++)
        declare(index, name, declared->oneof_decl[i]->name);
    for (size_t i = 0; i < declared->n_enum_type; i++)
        declare_enum(index, name, declared->enum_type[i]);
    for (size_t i = 0; i < declared->n_nested_type; i++)
        declare_message(index, name, declared->nested_type[i]);
}

static void declare_service(struct descriptor_index *index, const char *scope,
                            const Google__Protobuf__ServiceDescriptorProto *declared) {
    const char *name = declare(index, scope, declared->name);
    for (size_t i = 0; i < declared->n_method; i++)
        declare(index, name, declared->method[i]->name);
}

static void declare_file(struct descriptor_index *index,
                         const Google__Protobuf__FileDescriptorProto *declared) {
    const char *package = declared->package ? declared->package : "";
    for (size_t i = 0; i < declared->n_message_type; i++)
        declare_message(index, package, declared->message_type[i]);
    for (size_t i = 0; i < declared->n_enum_type; i++)
        declare_enum(index, package, declared->enum_type[i]);
    for (size_t i = 0; i < declared->n_service; i++)
        declare_service(index, package, declared->service[i]);
}

static enum status add_imports(struct descriptor_index *index,
                               const Google__Protobuf__FileDescriptorProto *declared,
                               struct descriptor_file *file) {
    size_t *imports = ARENA_NEW_ARRAY(&index->arena, size_t, declared->n_dependency);
    if (!imports)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < declared->n_dependency; i++)
        if (!descriptor_index_find_file(index, declared->dependency[i], &imports[i]))
            return STATUS_MALFORMED;
    file->imports = imports;
    file->import_count = declared->n_dependency;
    return STATUS_OK;
}

static enum status add_file(struct descriptor_index *index, struct bytes content) {
    ProtobufCMessage *message;
    const char *why;
    enum status status = message_unpack(&google__protobuf__file_descriptor_proto__descriptor, content,
                                        &index->arena, &message, &why);
    if (status != STATUS_OK)
        return status;
    const Google__Protobuf__FileDescriptorProto *declared =
        (const Google__Protobuf__FileDescriptorProto *)message;
    if (!declared->name)
        return STATUS_MALFORMED;
    struct descriptor_file *file = &index->files[index->file_count];
    *file = (struct descriptor_file){.name = declared->name, .content = content};
    status = add_imports(index, declared, file);
    if (status != STATUS_OK)
        return status;
    declare_file(index, declared);
    index->file_count++;
    return index->failure;
}

static int compare_symbols(const void *a, const void *b) {
    return strcmp(((const struct symbol *)a)->name, ((const struct symbol *)b)->name);
}

static enum status fill(struct descriptor_index *index, struct bytes set) {
    struct cursor cursor = cursor_of(set);
    struct bytes content;
    size_t count = 0;
    while (read_file(&cursor, &content))
        count++;
    if (cursor.failed)
        return STATUS_MALFORMED;
    // A declaration is a field with tag and length, and so is the name inside of it, of one byte or more.
    index->symbol_room = set.len / 5;
    index->files = ARENA_NEW_ARRAY(&index->arena, struct descriptor_file, count);
    index->symbols = ARENA_NEW_ARRAY(&index->arena, struct symbol, index->symbol_room);
    if (!index->files || !index->symbols)
        return STATUS_NO_MEMORY;
    cursor = cursor_of(set);
    while (read_file(&cursor, &content)) {
        enum status status = add_file(index, content);
        if (status != STATUS_OK)
            return status;
    }
    qsort(index->symbols, index->symbol_count, sizeof(*index->symbols), compare_symbols);
    return STATUS_OK;
}

enum status descriptor_index_new(struct bytes set, struct descriptor_index **ret_index) {
    struct descriptor_index *index = calloc(1, sizeof(*index));
    if (!index)
        return STATUS_NO_MEMORY;
    arena_init(&index->arena, 0);
    enum status status = fill(index, set);
    if (status != STATUS_OK) {
        descriptor_index_free(index);
        return status;
    }
    *ret_index = index;
    return STATUS_OK;
}

void descriptor_index_free(struct descriptor_index *index) {
    if (!index)
        return;
    arena_fini(&index->arena);
    free(index);
}

size_t descriptor_index_get_count(const struct descriptor_index *index) {
    return index->file_count;
}

const struct descriptor_file *descriptor_index_get_file(const struct descriptor_index *index, size_t number) {
    return &index->files[number];
}

bool descriptor_index_find_file(const struct descriptor_index *index, const char *name, size_t *ret_number) {
    for (size_t i = 0; i < index->file_count; i++) {
        if (strcmp(index->files[i].name, name) == 0) {
            *ret_number = i;
            return true;
        }
    }
    return false;
}

bool descriptor_index_find_symbol(const struct descriptor_index *index, const char *symbol,
                                  size_t *ret_number) {
    const struct symbol wanted = {.name = symbol};
    const struct symbol *found =
        bsearch(&wanted, index->symbols, index->symbol_count, sizeof(*index->symbols), compare_symbols);
    if (!found)
        return false;
    *ret_number = found->file;
    return true;
}
