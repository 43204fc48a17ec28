// Pages of a List method, the same for all of them: `page_size` and `page_token` of the request,
// `next_page_token` of the answer. A token holds where the next page begins (the store's own key, opaque to
// callers) under a MAC over that, the method, the company and the other arguments: one that was changed, made
// up, or taken from another question or company is refused instead of giving a page of nonsense. It gives no
// right: what may be seen is decided anew for each page.
#ifndef LATCHKEY_COMMON_GRPC_PAGE_H
#define LATCHKEY_COMMON_GRPC_PAGE_H

#include <protobuf-c/protobuf-c.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/uuid.h"

#define PAGE_SIZE_DEFAULT 100
#define PAGE_SIZE_MAX 1000
#define PAGE_CURSOR_MAX 128

// Whose tokens they are.
struct page_scope {
    struct bytes key;       // secret, and the same in every replica
    struct uuid company_id; // whose list
};

struct page {
    int32_t size;        // 1..PAGE_SIZE_MAX
    struct bytes cursor; // the key after which it begins, in the arena; empty = the first page
};

// Names bad fields in `fault`; `ret_page` is then the first page, so that other fields can still be checked.
// `cursor_length` is what the method's keys have; 0 = any up to PAGE_CURSOR_MAX.
void page_parse(const struct page_scope *scope, const ProtobufCMessage *request, size_t cursor_length,
                struct arena *arena, struct fault *fault, struct page *ret_page);

// The next_page_token for the page after the key `cursor`; NULL when out of memory.
MUST_CHECK char *page_make_token(const struct page_scope *scope, const ProtobufCMessage *request,
                                 struct bytes cursor, struct arena *arena);

#endif
