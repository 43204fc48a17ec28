// latchkey-invitation: companies, who belongs to them and who is invited.
#include "services/audit/audit_service.h"
#include "services/invitation/invitation_service.h"

static const struct app_service *const services[] = {&company_service, &member_service, &invitation_service,
                                                     &audit_service};

static const struct app_program program = {
    .name = "latchkey-invitation",
    .summary =
        "Serves CompanyService, MemberService and InvitationService: who belongs to a company, and as what.",
    .listen = "127.0.0.1:7076",
    .admin_listen = "127.0.0.1:7077",
    .services = services,
    .service_count = ARRAY_LENGTH(services),
};

int main(int argc, char **argv) {
    return app_main(&program, argc, argv);
}
