// Pages of lists that are in the order of their ids, newest first: the cursor is the last id of the page.
#ifndef LATCHKEY_SERVICES_INVITATION_ID_PAGE_RPC_H
#define LATCHKEY_SERVICES_INVITATION_ID_PAGE_RPC_H

#include <protobuf-c/protobuf-c.h>
#include <stdint.h>

#include "common/app/call.h"
#include "common/base/compiler.h"
#include "common/base/uuid.h"

struct id_page {
    int32_t size;
    struct uuid after; // zero = from the start
};

// Names bad fields in the call's fault.
void id_page_parse(struct app_call *call, const ProtobufCMessage *request, struct id_page *ret_page);

// The next_page_token for the page after `last`; NULL when out of memory.
MUST_CHECK char *id_page_make_token(const struct app_call *call, const ProtobufCMessage *request,
                                    struct uuid last);

#endif
