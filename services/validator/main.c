// latchkey-validator: ValidationService, and Authorization of Envoy.
#include "services/validator/validator_service.h"

static const struct app_service *const services[] = {&validator_service, &ext_authz_service};

static const struct app_program program = {
    .name = "latchkey-validator",
    .summary = "Serves ValidationService: decisions about tokens, from memory.",
    .listen = "127.0.0.1:7078",
    .admin_listen = "127.0.0.1:7079",
    .services = services,
    .service_count = ARRAY_LENGTH(services),
};

int main(int argc, char **argv) {
    return app_main(&program, argc, argv);
}
