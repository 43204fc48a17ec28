// Pages of a managed List method (common/grpc/page.h), for the company that the call acts for.
#ifndef LATCHKEY_COMMON_APP_PAGING_H
#define LATCHKEY_COMMON_APP_PAGING_H

#include "common/app/call.h"
#include "common/grpc/page.h"

// Names bad fields in the call's fault.
void paging_parse(struct app_call *call, const ProtobufCMessage *request, size_t cursor_length,
                  struct page *ret_page);

// NULL when out of memory.
MUST_CHECK char *paging_make_token(const struct app_call *call, const ProtobufCMessage *request,
                                   struct bytes cursor);

#endif
