#include "services/cli/rpc.h"

#include <string.h>

#include "common/base/bytes.h"
#include "latchkey/v1/audit.pb-c.h"
#include "latchkey/v1/company.pb-c.h"
#include "latchkey/v1/invitation.pb-c.h"
#include "latchkey/v1/member.pb-c.h"
#include "latchkey/v1/token.pb-c.h"
#include "latchkey/v1/validation.pb-c.h"
#include "latchkey/v1/whitelist.pb-c.h"

static const struct rpc rpcs[] = {
#define RPC_ROW(id, server_, service, method, c_name)                       \
    [RPC_##id] = {.server = RPC_SERVER_##server_,                           \
                  .path = "/latchkey.v1." #service "/" #method,             \
                  .request = &latchkey__v1__##c_name##_request__descriptor, \
                  .response = &latchkey__v1__##c_name##_response__descriptor},
    RPC_TABLE(RPC_ROW)
#undef RPC_ROW
};

const struct rpc *rpc_get(enum rpc_id id) {
    return &rpcs[id];
}

// How the contract's names of methods begin that only look.
static const char *const readings[] = {"Get",     "List",     "Check",  "Lookup",
                                       "Preview", "Validate", "Verify", "Explain"};

bool rpc_is_reading(const struct rpc *rpc) {
    const char *method = strrchr(rpc->path, '/') + 1;
    for (size_t i = 0; i < ARRAY_LENGTH(readings); i++)
        if (bytes_has_prefix(bytes_of_text(method), bytes_of_text(readings[i])))
            return true;
    return false;
}
