#include "services/cli/rpc.h"

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
    CONTRACT_TABLE(RPC_ROW)
#undef RPC_ROW
};

const struct rpc *rpc_get(enum rpc_id id) {
    return &rpcs[id];
}
