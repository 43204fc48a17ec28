#include "common/app/paging.h"

#include <string.h>

#include "common/app/deployment.h"

static struct page_scope get_scope(const struct app_call *call) {
    return (struct page_scope){bytes_of(call->deployment->page_token_key, PAGE_TOKEN_KEY_LENGTH),
                               call->company_id};
}

void paging_parse(struct app_call *call, const ProtobufCMessage *request, size_t cursor_length,
                  struct page *ret_page) {
    struct page_scope scope = get_scope(call);
    page_parse(&scope, request, cursor_length, call->arena, call->fault, ret_page);
}

char *paging_make_token(const struct app_call *call, const ProtobufCMessage *request, struct bytes cursor) {
    struct page_scope scope = get_scope(call);
    return page_make_token(&scope, request, cursor, call->arena);
}

void paging_parse_id(struct app_call *call, const ProtobufCMessage *request, struct id_page *ret_page) {
    struct page page;
    paging_parse(call, request, sizeof(ret_page->after.bytes), &page);
    *ret_page = (struct id_page){.size = page.size};
    if (page.cursor.len > 0)
        memcpy(ret_page->after.bytes, page.cursor.data, sizeof(ret_page->after.bytes));
}

char *paging_make_id_token(const struct app_call *call, const ProtobufCMessage *request, struct uuid last) {
    return paging_make_token(call, request, bytes_of(last.bytes, sizeof(last.bytes)));
}
