// Finds the file of a contract by its name and by every symbol that it declares: messages, fields, oneofs,
// enums, their values, services and methods. Immutable once made; any thread.
#ifndef LATCHKEY_COMMON_PROTOBUF_DESCRIPTOR_INDEX_H
#define LATCHKEY_COMMON_PROTOBUF_DESCRIPTOR_INDEX_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

struct descriptor_index;

struct descriptor_file {
    const char *name;      // "latchkey/v1/token.proto"
    struct bytes content;  // a serialized google.protobuf.FileDescriptorProto; borrows from the set
    const size_t *imports; // file numbers
    size_t import_count;
};

// Borrows `set`, a serialized FileDescriptorSet in which each file follows its imports. MALFORMED if it is
// none. Returns owned.
MUST_CHECK enum status descriptor_index_new(struct bytes set, struct descriptor_index **ret_index);
void descriptor_index_free(struct descriptor_index *index); // takes NULL

size_t descriptor_index_get_count(const struct descriptor_index *index);
const struct descriptor_file *descriptor_index_get_file(const struct descriptor_index *index, size_t number);

// False, and `*ret_number` untouched, if there is none. Symbols are full names without a leading dot.
bool descriptor_index_find_file(const struct descriptor_index *index, const char *name, size_t *ret_number);
bool descriptor_index_find_symbol(const struct descriptor_index *index, const char *symbol,
                                  size_t *ret_number);

#endif
