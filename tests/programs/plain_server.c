// The product's transport with a page at `/`, for public HTTP/2 test suites.
#include "tests/programs/test_server.h"

int main(int argc, char **argv) {
    const struct grpc_page page = {
        .path = "/",
        .content_type = "text/plain",
        .body = BYTES_LITERAL("Latchkey's transport is listening.\n"),
    };
    struct test_server server = {.options = {.page = &page}};
    return test_server_run(&server, argc, argv);
}
