// latchkey-token: TokenService alone.
#include "services/audit/audit_service.h"
#include "services/token/token_service.h"

static const struct app_service *const services[] = {&token_service, &audit_service};

static const struct app_program program = {
    .name = "latchkey-token",
    .summary = "Serves TokenService: access tokens made, listed and ended.",
    .listen = "127.0.0.1:7072",
    .admin_listen = "127.0.0.1:7073",
    .services = services,
    .service_count = ARRAY_LENGTH(services),
};

int main(int argc, char **argv) {
    return app_main(&program, argc, argv);
}
