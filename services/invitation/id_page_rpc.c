#include "services/invitation/id_page_rpc.h"

#include <string.h>

#include "common/app/paging.h"

void id_page_parse(struct app_call *call, const ProtobufCMessage *request, struct id_page *ret_page) {
    struct page page;
    paging_parse(call, request, sizeof(ret_page->after.bytes), &page);
    *ret_page = (struct id_page){.size = page.size};
    if (page.cursor.len > 0)
        memcpy(ret_page->after.bytes, page.cursor.data, sizeof(ret_page->after.bytes));
}

char *id_page_make_token(const struct app_call *call, const ProtobufCMessage *request, struct uuid last) {
    return paging_make_token(call, request, bytes_of(last.bytes, sizeof(last.bytes)));
}
