// The tables of WhitelistService: methods, settings, the service. A method of the contract that is not here
// is answered UNIMPLEMENTED.
#include "latchkey/v1/whitelist.pb-c.h"
#include "services/whitelist/whitelist_rpc.h"
#include "services/whitelist/whitelist_service.h"

struct whitelist_limits whitelist_limits;

#define PATH(method) "/latchkey.v1.WhitelistService/" method

static const struct app_method methods[] = {
    {PATH("GetWhitelist"), &latchkey__v1__get_whitelist_request__descriptor,
     &latchkey__v1__get_whitelist_response__descriptor, APP_READ, "latchkey.whitelist.read",
     whitelist_rpc_get},
    {PATH("UpdateWhitelist"), &latchkey__v1__update_whitelist_request__descriptor,
     &latchkey__v1__update_whitelist_response__descriptor, APP_MUTATION, "latchkey.whitelist.manage",
     whitelist_rpc_update},
    {PATH("AddWhitelistEntries"), &latchkey__v1__add_whitelist_entries_request__descriptor,
     &latchkey__v1__add_whitelist_entries_response__descriptor, APP_MUTATION, "latchkey.whitelist.manage",
     whitelist_rpc_add_entries},
    {PATH("RemoveWhitelistEntries"), &latchkey__v1__remove_whitelist_entries_request__descriptor,
     &latchkey__v1__remove_whitelist_entries_response__descriptor, APP_MUTATION, "latchkey.whitelist.manage",
     whitelist_rpc_remove_entries},
    {PATH("ListWhitelistEntries"), &latchkey__v1__list_whitelist_entries_request__descriptor,
     &latchkey__v1__list_whitelist_entries_response__descriptor, APP_READ, "latchkey.whitelist.read",
     whitelist_rpc_list_entries},
    {PATH("CheckIp"), &latchkey__v1__check_ip_request__descriptor,
     &latchkey__v1__check_ip_response__descriptor, APP_READ, "latchkey.whitelist.read",
     whitelist_rpc_check_ip},
};

#define OF(member) offsetof(struct whitelist_limits, member)

static const struct setting settings[] = {
    {.name = "whitelist-call-entries-max",
     .type = SETTING_INTEGER,
     .offset = OF(call_entries),
     .default_value = "10000",
     .min = 1,
     .max = 10000,
     .help = "Whitelist entries that one call may add or remove; one more is INVALID_ARGUMENT."},
    {.name = "company-whitelist-entries-max",
     .type = SETTING_INTEGER,
     .offset = OF(company_entries),
     .default_value = "2000000",
     .min = 1,
     .max = 100000000,
     .help = "Whitelist entries that one company may have; one more is RESOURCE_EXHAUSTED."},
};

const struct app_service whitelist_service = {
    .name = "latchkey.v1.WhitelistService",
    .methods = methods,
    .method_count = ARRAY_LENGTH(methods),
    .settings = settings,
    .setting_count = ARRAY_LENGTH(settings),
    .settings_base = &whitelist_limits,
};
