// latchkey-whitelist: WhitelistService alone.
#include "services/audit/audit_service.h"
#include "services/whitelist/whitelist_service.h"

static const struct app_service *const services[] = {&whitelist_service, &audit_service};

static const struct app_program program = {
    .name = "latchkey-whitelist",
    .summary = "Serves WhitelistService: from which addresses a company's tokens may be used.",
    .listen = "127.0.0.1:7074",
    .admin_listen = "127.0.0.1:7075",
    .services = services,
    .service_count = ARRAY_LENGTH(services),
};

int main(int argc, char **argv) {
    return app_main(&program, argc, argv);
}
