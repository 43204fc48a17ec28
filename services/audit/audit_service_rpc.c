// The tables of AuditService: methods, settings, jobs.
#include "latchkey/v1/audit.pb-c.h"
#include "services/audit/audit_jobs.h"
#include "services/audit/audit_rpc.h"
#include "services/audit/audit_service.h"

#define PATH(method) "/latchkey.v1.AuditService/" method

static const struct app_method methods[] = {
    {PATH("ListAuditEvents"), &latchkey__v1__list_audit_events_request__descriptor,
     &latchkey__v1__list_audit_events_response__descriptor, APP_READ, "latchkey.audit.read", audit_rpc_list},
    {PATH("VerifyAuditLog"), &latchkey__v1__verify_audit_log_request__descriptor,
     &latchkey__v1__verify_audit_log_response__descriptor, APP_READ, "latchkey.audit.read", audit_rpc_verify},
};

#define OF(member) offsetof(struct audit_settings, member)

static const struct setting settings[] = {
    {.name = "audit-head-interval",
     .type = SETTING_DURATION,
     .offset = OF(head_interval_ms),
     .default_value = "60s",
     .min = 1000,
     .max = 86400000,
     .help = "How often the heads of the audit log's chains that have moved are written to the log, and to "
             "--audit-head-file."},
    {.name = "audit-head-file",
     .type = SETTING_TEXT,
     .offset = OF(head_file),
     .value_name = "FILE",
     .help =
         "A file to which the heads are appended, one line each: kept where whoever can write the database "
         "can't, it shows that a chain was written anew (latchkey audit verify --heads FILE)."},
};

static const struct app_job *const jobs[] = {&audit_heads_job, &audit_refusals_job};

const struct app_service audit_service = {
    .name = "latchkey.v1.AuditService",
    .methods = methods,
    .method_count = ARRAY_LENGTH(methods),
    .jobs = jobs,
    .job_count = ARRAY_LENGTH(jobs),
    .settings = settings,
    .setting_count = ARRAY_LENGTH(settings),
    .settings_base = &audit_settings,
};
