// latchkey-invitation: companies, and who is invited into them.
#include "services/audit/audit_service.h"
#include "services/invitation/invitation_service.h"

static const struct app_service *const services[] = {&company_service, &audit_service};

static const struct app_program program = {
    .name = "latchkey-invitation",
    .summary = "Serves CompanyService: companies made and read.",
    .listen = "127.0.0.1:7076",
    .admin_listen = "127.0.0.1:7077",
    .services = services,
    .service_count = ARRAY_LENGTH(services),
};

int main(int argc, char **argv) {
    return app_main(&program, argc, argv);
}
