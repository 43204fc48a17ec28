// latchkeyd: every service in one process, for one machine.
#include "services/audit/audit_service.h"
#include "services/console/console_service.h"
#include "services/invitation/invitation_service.h"
#include "services/token/token_service.h"
#include "services/validator/validator_service.h"
#include "services/whitelist/whitelist_service.h"

static const struct app_service *const services[] = {
    &token_service, &whitelist_service, &company_service,   &member_service, &invitation_service,
    &audit_service, &validator_service, &ext_authz_service, &console_service};

// Who is invited accepts in the console, where there is one.
static void complete(void) {
    invitation_service_set_default_url(console_service_get_invitation_url());
}

static const struct app_program program = {
    .name = "latchkeyd",
    .summary = "Serves all of Latchkey in one process: tokens, whitelists, invitations and validation.",
    .listen = "127.0.0.1:7070",
    .admin_listen = "127.0.0.1:7071",
    .services = services,
    .service_count = ARRAY_LENGTH(services),
    .complete = complete,
};

int main(int argc, char **argv) {
    return app_main(&program, argc, argv);
}
