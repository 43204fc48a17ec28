// Any bytes as a page token, and as the key that one carries: what is read is written back as the very same
// text, and every key comes back.
#include <assert.h>

#include "common/grpc/page.h"
#include "latchkey/v1/token.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct page_scope scope = {.key = {(const uint8_t *)"key", 3}};

static struct bytes read_cursor(Latchkey__V1__ListAccessTokensRequest *request, struct arena *arena) {
    struct fault fault;
    struct page page;
    fault_init(&fault, arena);
    page_parse(&scope, &request->base, 0, arena, &fault, &page);
    assert(page.cursor.len <= PAGE_CURSOR_MAX);
    assert(fault.status == STATUS_OK || page.cursor.len == 0);
    return page.cursor;
}

static void check_token(Latchkey__V1__ListAccessTokensRequest *request, struct bytes text,
                        struct arena *arena) {
    request->page_token = arena_copy_bytes(arena, text);
    assert(request->page_token);
    struct bytes cursor = read_cursor(request, arena);
    if (cursor.len == 0)
        return;
    const char *written = page_make_token(&scope, &request->base, cursor, arena);
    assert(written && strcmp(written, request->page_token) == 0);
}

static void check_cursor(Latchkey__V1__ListAccessTokensRequest *request, struct bytes cursor,
                         struct arena *arena) {
    request->page_token = page_make_token(&scope, &request->base, cursor, arena);
    assert(request->page_token);
    assert(bytes_is_equal(read_cursor(request, arena), cursor));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Latchkey__V1__ListAccessTokensRequest request;
    struct arena arena;
    arena_init(&arena, 0);
    latchkey__v1__list_access_tokens_request__init(&request);
    check_token(&request, bytes_of(data, size), &arena);
    if (size > 0 && size <= PAGE_CURSOR_MAX)
        check_cursor(&request, bytes_of(data, size), &arena);
    arena_fini(&arena);
    return 0;
}
