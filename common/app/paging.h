// Pages of a managed List method (common/grpc/page.h), for the company that the call acts for.
#ifndef LATCHKEY_COMMON_APP_PAGING_H
#define LATCHKEY_COMMON_APP_PAGING_H

#include "common/app/call.h"
#include "common/grpc/page.h"

// Names bad fields in the call's fault.
void paging_parse(struct app_call *call, const ProtobufCMessage *request, size_t cursor_length,
                  struct page *ret_page);

// The next_page_token for what follows `cursor`; in the arena, NULL when out of memory.
MUST_CHECK char *paging_make_token(const struct app_call *call, const ProtobufCMessage *request,
                                   struct bytes cursor);

// The same of a list that is in the order of its ids, newest first: the cursor is the last id of the page.
struct id_page {
    int32_t size;
    struct uuid after; // zero = from the start
};
void paging_parse_id(struct app_call *call, const ProtobufCMessage *request, struct id_page *ret_page);
MUST_CHECK char *paging_make_id_token(const struct app_call *call, const ProtobufCMessage *request,
                                      struct uuid last);

#endif
