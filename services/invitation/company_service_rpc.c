// The tables of CompanyService.
#include "latchkey/v1/company.pb-c.h"
#include "services/invitation/company_rpc.h"
#include "services/invitation/invitation_service.h"

#define PATH(method) "/latchkey.v1.CompanyService/" method

static const struct app_method methods[] = {
    {PATH("CreateCompany"), &latchkey__v1__create_company_request__descriptor,
     &latchkey__v1__create_company_response__descriptor, APP_MUTATION, "latchkey.operate",
     company_rpc_create},
    {PATH("GetCompany"), &latchkey__v1__get_company_request__descriptor,
     &latchkey__v1__get_company_response__descriptor, APP_READ, "latchkey.company.read", company_rpc_get},
    {PATH("ListCompanies"), &latchkey__v1__list_companies_request__descriptor,
     &latchkey__v1__list_companies_response__descriptor, APP_READ, "latchkey.company.read", company_rpc_list},
    {PATH("UpdateCompany"), &latchkey__v1__update_company_request__descriptor,
     &latchkey__v1__update_company_response__descriptor, APP_MUTATION, NULL, company_rpc_update},
    {PATH("SuspendCompany"), &latchkey__v1__suspend_company_request__descriptor,
     &latchkey__v1__suspend_company_response__descriptor, APP_MUTATION, "latchkey.operate",
     company_rpc_suspend},
    {PATH("ResumeCompany"), &latchkey__v1__resume_company_request__descriptor,
     &latchkey__v1__resume_company_response__descriptor, APP_MUTATION, "latchkey.operate",
     company_rpc_resume},
};

const struct app_service company_service = {
    .name = "latchkey.v1.CompanyService",
    .methods = methods,
    .method_count = ARRAY_LENGTH(methods),
};
