// latchkey-console: the pages for people, in front of the servers, which it asks over gRPC.
#include "services/console/console_relay_rpc.h"
#include "services/console/console_service.h"

static const struct app_service *const services[] = {&console_relay_service, &console_service};

static const struct app_program program = {
    .name = "latchkey-console",
    .summary = "Serves the console, the pages for people, and passes on to the servers what they ask.",
    .listen = "127.0.0.1:7088",
    .admin_listen = "127.0.0.1:7089",
    .services = services,
    .service_count = ARRAY_LENGTH(services),
};

int main(int argc, char **argv) {
    return app_main(&program, argc, argv);
}
