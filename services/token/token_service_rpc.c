// The tables of TokenService: methods, settings, the service. A method of the contract that is not here is
// answered UNIMPLEMENTED.
#include <stdio.h>

#include "latchkey/v1/token.pb-c.h"
#include "services/token/housekeeping.h"
#include "services/token/leak_mail.h"
#include "services/token/leak_rpc.h"
#include "services/token/login_rpc.h"
#include "services/token/reuse_job.h"
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
    {PATH("CreateLoginToken"), &latchkey__v1__create_login_token_request__descriptor,
     &latchkey__v1__create_login_token_response__descriptor, APP_MUTATION, "latchkey.logins.create",
     login_rpc_create},
    // Everybody may see and end their own: the handlers ask for the permission.
    {PATH("ListRecentAuthentications"), &latchkey__v1__list_recent_authentications_request__descriptor,
     &latchkey__v1__list_recent_authentications_response__descriptor, APP_READ, NULL, login_rpc_list},
    {PATH("DeactivateLoginToken"), &latchkey__v1__deactivate_login_token_request__descriptor,
     &latchkey__v1__deactivate_login_token_response__descriptor, APP_MUTATION, NULL, login_rpc_deactivate},
    {PATH("DeactivateMemberLogins"), &latchkey__v1__deactivate_member_logins_request__descriptor,
     &latchkey__v1__deactivate_member_logins_response__descriptor, APP_MUTATION, NULL,
     login_rpc_deactivate_all},
    {PATH("GetCaller"), &latchkey__v1__get_caller_request__descriptor,
     &latchkey__v1__get_caller_response__descriptor, APP_READ, NULL, caller_rpc_get},
    {PATH("ListPermissions"), &latchkey__v1__list_permissions_request__descriptor,
     &latchkey__v1__list_permissions_response__descriptor, APP_READ, NULL, caller_rpc_list_permissions},
    {PATH("SetPermissions"), &latchkey__v1__set_permissions_request__descriptor,
     &latchkey__v1__set_permissions_response__descriptor, APP_MUTATION, "latchkey.operate",
     permission_rpc_set},
    {PATH("ReportLeakedToken"), &latchkey__v1__report_leaked_token_request__descriptor,
     &latchkey__v1__report_leaked_token_response__descriptor, APP_OPEN_MUTATION, NULL, leak_rpc_report},
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
    {.name = "spent-secret-kept",
     .type = SETTING_DURATION,
     .offset = OF(spent_secret_kept_ms),
     .default_value = "90d",
     .min = 0,
     .max = INT64_C(315360000000),
     .help =
         "How long a secret that a rotation replaced is recognised after its grace: used then, it is the audit "
         "event token.reused. Of one token the ten newest at most."},
    {.name = "token-reuse-interval",
     .type = SETTING_DURATION,
     .offset = OF(reuse_period_ms),
     .default_value = "1s",
     .min = 10,
     .max = 3600000,
     .help =
         "How often uses of such secrets are looked for, to tell the audit log and, where a company's policy says "
         "so, to end the token."},
    {.name = "leak-reports",
     .type = SETTING_INTEGER,
     .offset = OF(leak_reports),
     .default_value = "60",
     .min = 1,
     .max = 1000000,
     .help = "ReportLeakedToken: how many reports one address (IPv6: one /64) may send at once; one more is "
             "RESOURCE_EXHAUSTED."},
    {.name = "leak-report-refill",
     .type = SETTING_DURATION,
     .offset = OF(leak_report_refill_ms),
     .default_value = "1s",
     .min = 1,
     .max = 86400000,
     .help = "ReportLeakedToken: how soon an address that has used them up may send one more."},
    {.name = "login-lifetime",
     .type = SETTING_DURATION,
     .offset = OF(logins.lifetime_ms),
     .default_value = "3h",
     .min = 60000,
     .max = INT64_C(2592000000),
     .help = "How long a login token lives where the company's policy does not say."},
    {.name = "login-kept",
     .type = SETTING_DURATION,
     .offset = OF(housekeeping.login_kept_ms),
     .default_value = "30d",
     .min = 3600000,
     .max = INT64_C(31622400000),
     .help = "How long log-ins are listed after their end, and refused ones after they were."},
    {.name = "login-secret-kept",
     .type = SETTING_DURATION,
     .offset = OF(housekeeping.login_secret_kept_ms),
     .default_value = "1d",
     .min = 60000,
     .max = INT64_C(31622400000),
     .help =
         "How long the secret of a login token is known after its end, as EXPIRED; then it is UNKNOWN, and no "
         "validator holds it any more."},
    {.name = "housekeeping-interval",
     .type = SETTING_DURATION,
     .offset = OF(housekeeping.period_ms),
     .default_value = "1m",
     .min = 100,
     .max = 3600000,
     .help =
         "How often old log-ins are swept, unused tokens are ended where the company's policy says so, and "
         "notices of expiry are sent."},
    {.name = "expiry-notice-early",
     .type = SETTING_DURATION,
     .offset = OF(housekeeping.early_notice_ms),
     .default_value = "7d",
     .min = 0,
     .max = INT64_C(31622400000),
     .help =
         "How long before it expires the owner of an access token (the company's administrators, where that "
         "owns it) gets a mail about it; 0 = never."},
    {.name = "expiry-notice-late",
     .type = SETTING_DURATION,
     .offset = OF(housekeeping.late_notice_ms),
     .default_value = "1d",
     .min = 0,
     .max = INT64_C(31622400000),
     .help = "The same for the second notice."},
};

static enum status start(struct app *app, char *ret_error, size_t error_size) {
    (void)app;
    enum status status = leak_rpc_start();
    if (status != STATUS_OK)
        snprintf(ret_error, error_size, "%s", status_get_text(status));
    return status;
}

static void stop(struct app *app) {
    (void)app;
    leak_rpc_stop();
}

static const struct mail_kind mail_kinds[] = {{LEAK_MAIL_KIND, leak_mail_render},
                                              {EXPIRY_MAIL_KIND, expiry_mail_render}};

static const struct app_job *const jobs[] = {&token_reuse_job, &token_forget_job, &login_sweep_job,
                                             &unused_token_job, &expiry_notice_job};

const struct app_service token_service = {
    .name = "latchkey.v1.TokenService",
    .methods = methods,
    .method_count = ARRAY_LENGTH(methods),
    .screen = leak_rpc_screen,
    .start = start,
    .stop = stop,
    .mail_kinds = mail_kinds,
    .mail_kind_count = ARRAY_LENGTH(mail_kinds),
    .jobs = jobs,
    .job_count = ARRAY_LENGTH(jobs),
    .settings = settings,
    .setting_count = ARRAY_LENGTH(settings),
    .settings_base = &token_limits,
};
