// The server under test of the connect conformance suite, on the product's own transport. Its runner starts
// it once for each way of listening, says on standard input which, and reads from standard output where it
// is.
#include <stdio.h>
#include <stdlib.h>

#include "common/base/bytes.h"
#include "connectrpc/conformance/v1/server_compat.pb-c.h"
#include "tests/programs/conformance_service.h"
#include "tests/programs/test_server.h"

typedef Connectrpc__Conformance__V1__ServerCompatRequest ServerCompatRequest;
typedef Connectrpc__Conformance__V1__ServerCompatResponse ServerCompatResponse;

enum { LENGTH_BYTES = 4, REQUEST_BYTES_MAX = 1 << 20 };

struct conformance_server {
    struct test_server server;
    const ServerCompatRequest *request;
};

static ServerCompatRequest *read_request(void) {
    static uint8_t bytes[REQUEST_BYTES_MAX];
    if (fread(bytes, 1, LENGTH_BYTES, stdin) != LENGTH_BYTES)
        return NULL;
    struct cursor length = cursor_of(bytes_of(bytes, LENGTH_BYTES));
    size_t len = cursor_read_u32(&length);
    if (len > sizeof(bytes) || fread(bytes, 1, len, stdin) != len)
        return NULL;
    return connectrpc__conformance__v1__server_compat_request__unpack(NULL, len, bytes);
}

static void write_length(size_t len) {
    for (int shift = 24; shift >= 0; shift -= 8)
        putchar((int)(len >> shift & 0xff));
}

static void write_response(const struct test_server *server, const struct listener *listener) {
    const struct conformance_server *self = CONTAINER_OF(server, struct conformance_server, server);
    static uint8_t bytes[REQUEST_BYTES_MAX];
    ServerCompatResponse response = CONNECTRPC__CONFORMANCE__V1__SERVER_COMPAT_RESPONSE__INIT;
    response.port = listener_get_port(listener);
    if (self->request->use_tls)
        response.pem_cert = self->request->server_creds->cert;
    size_t len = connectrpc__conformance__v1__server_compat_response__get_packed_size(&response);
    if (len > sizeof(bytes))
        abort();
    connectrpc__conformance__v1__server_compat_response__pack(&response, bytes);
    write_length(len);
    fwrite(bytes, 1, len, stdout);
}

int main(int argc, char **argv) {
    (void)argc;
    const struct router_table table = conformance_service_get_table();
    struct conformance_server self = {
        .server = {.options = {.tables = &table, .table_count = 1, .has_bare_errors = true},
                   .on_listening = write_response},
        .request = read_request(),
    };
    if (!self.request) {
        fputs("conformance-server wants a ServerCompatRequest on standard input\n", stderr);
        return EXIT_FAILURE;
    }
    char limit[64];
    snprintf(limit, sizeof(limit), "--max-request-size=%u", self.request->message_receive_limit);
    char *arguments[] = {argv[0], limit, NULL};
    return test_server_run(&self.server, ARRAY_LENGTH(arguments) - 1, arguments);
}
