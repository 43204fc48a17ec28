// The tables of TokenService: methods, settings, the service. A method of the contract that is not here is
// answered UNIMPLEMENTED.
#include "latchkey/v1/token.pb-c.h"
#include "services/token/token_rpc.h"
#include "services/token/token_service.h"

struct token_limits token_limits;

#define PATH(method) "/latchkey.v1.TokenService/" method

static const struct app_method methods[] = {
    {PATH("CreateAccessToken"), &latchkey__v1__create_access_token_request__descriptor,
     &latchkey__v1__create_access_token_response__descriptor, APP_MUTATION, "latchkey.tokens.manage",
     token_rpc_create},
    {PATH("ImportAccessTokens"), &latchkey__v1__import_access_tokens_request__descriptor,
     &latchkey__v1__import_access_tokens_response__descriptor, APP_MUTATION, "latchkey.tokens.manage",
     token_rpc_import},
    // A token may always get, rotate and end itself: the handlers ask for the permission.
    {PATH("GetAccessToken"), &latchkey__v1__get_access_token_request__descriptor,
     &latchkey__v1__get_access_token_response__descriptor, APP_READ, NULL, token_rpc_get},
    {PATH("ListAccessTokens"), &latchkey__v1__list_access_tokens_request__descriptor,
     &latchkey__v1__list_access_tokens_response__descriptor, APP_READ, "latchkey.tokens.read",
     token_rpc_list},
    {PATH("UpdateAccessToken"), &latchkey__v1__update_access_token_request__descriptor,
     &latchkey__v1__update_access_token_response__descriptor, APP_MUTATION, "latchkey.tokens.manage",
     token_rpc_update},
    {PATH("DeactivateAccessToken"), &latchkey__v1__deactivate_access_token_request__descriptor,
     &latchkey__v1__deactivate_access_token_response__descriptor, APP_MUTATION, NULL, token_rpc_deactivate},
    {PATH("DeactivateAccessTokens"), &latchkey__v1__deactivate_access_tokens_request__descriptor,
     &latchkey__v1__deactivate_access_tokens_response__descriptor, APP_MUTATION, "latchkey.tokens.manage",
     token_rpc_deactivate_many},
    {PATH("SuspendAccessToken"), &latchkey__v1__suspend_access_token_request__descriptor,
     &latchkey__v1__suspend_access_token_response__descriptor, APP_MUTATION, "latchkey.tokens.manage",
     token_rpc_suspend},
    {PATH("ResumeAccessToken"), &latchkey__v1__resume_access_token_request__descriptor,
     &latchkey__v1__resume_access_token_response__descriptor, APP_MUTATION, "latchkey.tokens.manage",
     token_rpc_resume},
    {PATH("RotateAccessToken"), &latchkey__v1__rotate_access_token_request__descriptor,
     &latchkey__v1__rotate_access_token_response__descriptor, APP_MUTATION, NULL, token_rpc_rotate},
    {PATH("GetCaller"), &latchkey__v1__get_caller_request__descriptor,
     &latchkey__v1__get_caller_response__descriptor, APP_READ, NULL, caller_rpc_get},
    {PATH("ListPermissions"), &latchkey__v1__list_permissions_request__descriptor,
     &latchkey__v1__list_permissions_response__descriptor, APP_READ, NULL, caller_rpc_list_permissions},
    {PATH("SetPermissions"), &latchkey__v1__set_permissions_request__descriptor,
     &latchkey__v1__set_permissions_response__descriptor, APP_MUTATION, "latchkey.operate",
     permission_rpc_set},
};

#define OF(member) offsetof(struct token_limits, member)

// The upper bounds of the first three are the schema's.
static const struct setting settings[] = {
    {.name = "token-permissions-max",
     .type = SETTING_INTEGER,
     .offset = OF(permissions),
     .default_value = "256",
     .min = 1,
     .max = 256,
     .help = "Permissions and groups that one token may be granted; one more is INVALID_ARGUMENT."},
    {.name = "token-domains-max",
     .type = SETTING_INTEGER,
     .offset = OF(domains),
     .default_value = "1000",
     .min = 1,
     .max = 1000,
     .help = "Domains that one token may list; one more is INVALID_ARGUMENT."},
    {.name = "token-ips-max",
     .type = SETTING_INTEGER,
     .offset = OF(ips),
     .default_value = "10000",
     .min = 1,
     .max = 10000,
     .help = "Addresses and ranges that one token may list; one more is INVALID_ARGUMENT."},
    {.name = "company-tokens-max",
     .type = SETTING_INTEGER,
     .offset = OF(company_tokens),
     .default_value = "1000000",
     .min = 1,
     .max = 1000000000,
     .help = "Access tokens, neither deactivated nor expired, that one company may have; one more is "
             "RESOURCE_EXHAUSTED."},
};

const struct app_service token_service = {
    .name = "latchkey.v1.TokenService",
    .methods = methods,
    .method_count = ARRAY_LENGTH(methods),
    .settings = settings,
    .setting_count = ARRAY_LENGTH(settings),
    .settings_base = &token_limits,
};
