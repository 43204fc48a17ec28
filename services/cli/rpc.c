#include "services/cli/rpc.h"

#include "latchkey/v1/audit.pb-c.h"
#include "latchkey/v1/company.pb-c.h"
#include "latchkey/v1/token.pb-c.h"
#include "latchkey/v1/validation.pb-c.h"
#include "latchkey/v1/whitelist.pb-c.h"

#define ROW(server_, service, method, c_name)                                       \
    {                                                                               \
        .server = RPC_SERVER_##server_, .path = "/latchkey.v1." service "/" method, \
        .request = &latchkey__v1__##c_name##_request__descriptor,                   \
        .response = &latchkey__v1__##c_name##_response__descriptor                  \
    }

static const struct rpc rpcs[] = {
    [RPC_CREATE_ACCESS_TOKEN] = ROW(TOKEN, "TokenService", "CreateAccessToken", create_access_token),
    [RPC_GET_ACCESS_TOKEN] = ROW(TOKEN, "TokenService", "GetAccessToken", get_access_token),
    [RPC_LIST_ACCESS_TOKENS] = ROW(TOKEN, "TokenService", "ListAccessTokens", list_access_tokens),
    [RPC_DEACTIVATE_ACCESS_TOKEN] =
        ROW(TOKEN, "TokenService", "DeactivateAccessToken", deactivate_access_token),
    [RPC_GET_CALLER] = ROW(TOKEN, "TokenService", "GetCaller", get_caller),
    [RPC_LIST_PERMISSIONS] = ROW(TOKEN, "TokenService", "ListPermissions", list_permissions),
    [RPC_GET_WHITELIST] = ROW(WHITELIST, "WhitelistService", "GetWhitelist", get_whitelist),
    [RPC_UPDATE_WHITELIST] = ROW(WHITELIST, "WhitelistService", "UpdateWhitelist", update_whitelist),
    [RPC_ADD_WHITELIST_ENTRIES] =
        ROW(WHITELIST, "WhitelistService", "AddWhitelistEntries", add_whitelist_entries),
    [RPC_REMOVE_WHITELIST_ENTRIES] =
        ROW(WHITELIST, "WhitelistService", "RemoveWhitelistEntries", remove_whitelist_entries),
    [RPC_LIST_WHITELIST_ENTRIES] =
        ROW(WHITELIST, "WhitelistService", "ListWhitelistEntries", list_whitelist_entries),
    [RPC_CHECK_IP] = ROW(WHITELIST, "WhitelistService", "CheckIp", check_ip),
    [RPC_CREATE_COMPANY] = ROW(INVITATION, "CompanyService", "CreateCompany", create_company),
    [RPC_GET_COMPANY] = ROW(INVITATION, "CompanyService", "GetCompany", get_company),
    [RPC_LIST_AUDIT_EVENTS] = ROW(TOKEN, "AuditService", "ListAuditEvents", list_audit_events),
    [RPC_VERIFY_AUDIT_LOG] = ROW(TOKEN, "AuditService", "VerifyAuditLog", verify_audit_log),
    [RPC_VALIDATE] = ROW(VALIDATOR, "ValidationService", "Validate", validate),
};
_Static_assert(sizeof(rpcs) / sizeof(rpcs[0]) == RPC_COUNT, "a row for each call");

const struct rpc *rpc_get(enum rpc_id id) {
    return &rpcs[id];
}
