// The server under test of the connect conformance suite, on the product's own transport. Its runner starts
// it once for each way of listening, says on standard input which, and reads from standard output where it
// is.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/bytes.h"
#include "connectrpc/conformance/v1/server_compat.pb-c.h"
#include "tests/programs/conformance_service.h"
#include "tests/programs/test_server.h"

typedef Connectrpc__Conformance__V1__ServerCompatRequest ServerCompatRequest;
typedef Connectrpc__Conformance__V1__ServerCompatResponse ServerCompatResponse;

enum { LENGTH_BYTES = 4, REQUEST_BYTES_MAX = 1 << 20 };

struct conformance_server {
    struct test_server server;
    ServerCompatRequest *request; // owns
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

static void write_response(const struct test_server *server, const struct listener *listener,
                           unsigned http_port) {
    const struct conformance_server *self = CONTAINER_OF(server, struct conformance_server, server);
    static uint8_t bytes[REQUEST_BYTES_MAX];
    ServerCompatResponse response = CONNECTRPC__CONFORMANCE__V1__SERVER_COMPAT_RESPONSE__INIT;
    response.port = http_port ? http_port : listener_get_port(listener);
    if (self->request->use_tls)
        response.pem_cert = self->request->server_creds->cert;
    size_t len = connectrpc__conformance__v1__server_compat_response__get_packed_size(&response);
    if (len > sizeof(bytes))
        abort();
    connectrpc__conformance__v1__server_compat_response__pack(&response, bytes);
    write_length(len);
    fwrite(bytes, 1, len, stdout);
}

// Settings name files, so that is what the runner's PEM becomes; they go when the server ends.
struct pem_files {
    char directory[32];
    char certificate[64], key[64], client_authority[64];
};

static bool write_file(const char *path, ProtobufCBinaryData pem) {
    FILE *file = fopen(path, "wb");
    if (!file)
        return false;
    bool is_written = pem.len == 0 || fwrite(pem.data, 1, pem.len, file) == pem.len;
    return fclose(file) == 0 && is_written;
}

static bool pem_files_write(struct pem_files *files, const ServerCompatRequest *request) {
    snprintf(files->directory, sizeof(files->directory), "/tmp/conformance-XXXXXX");
    if (!mkdtemp(files->directory))
        return false;
    snprintf(files->certificate, sizeof(files->certificate), "%s/certificate", files->directory);
    snprintf(files->key, sizeof(files->key), "%s/key", files->directory);
    snprintf(files->client_authority, sizeof(files->client_authority), "%s/authority", files->directory);
    return write_file(files->certificate, request->server_creds->cert) &&
           write_file(files->key, request->server_creds->key) &&
           write_file(files->client_authority, request->client_tls_cert);
}

static void pem_files_remove(const struct pem_files *files) {
    unlink(files->certificate);
    unlink(files->key);
    unlink(files->client_authority);
    rmdir(files->directory);
}

// A command line in the making.
struct arguments {
    char *list[16];
    char texts[16][128];
    int count;
};

static void PRINTF_LIKE(2, 3) add_argument(struct arguments *arguments, const char *format, ...) {
    char *text = arguments->texts[arguments->count];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(arguments->texts[0]), format, args);
    va_end(args);
    arguments->list[arguments->count++] = text;
}

static void add_tls(struct arguments *arguments, const ServerCompatRequest *request,
                    const struct pem_files *files) {
    add_argument(arguments, "--tls-certificate=%s", files->certificate);
    add_argument(arguments, "--tls-key=%s", files->key);
    if (request->client_tls_cert.len == 0)
        return;
    add_argument(arguments, "--tls-client-ca=%s", files->client_authority);
    add_argument(arguments, "--tls-client-certificates=required");
}

static int run(struct conformance_server *self, char *name) {
    const ServerCompatRequest *request = self->request;
    struct arguments arguments = {0};
    struct pem_files files = {0};
    add_argument(&arguments, "%s", name);
    if (request->message_receive_limit > 0)
        add_argument(&arguments, "--max-request-size=%u", request->message_receive_limit);
    if (request->http_version == CONNECTRPC__CONFORMANCE__V1__HTTPVERSION__HTTP_VERSION_1)
        add_argument(&arguments, "--http-listen=127.0.0.1:0");
    if (!request->use_tls)
        return test_server_run(&self->server, arguments.count, arguments.list);
    int result = EXIT_FAILURE;
    if (pem_files_write(&files, request)) {
        add_tls(&arguments, request, &files);
        result = test_server_run(&self->server, arguments.count, arguments.list);
    }
    pem_files_remove(&files);
    return result;
}

int main(int argc, char **argv) {
    (void)argc;
    const struct router_table table = conformance_service_get_table();
    struct conformance_server self = {
        .server = {.options = {.tables = &table, .table_count = 1, .has_bare_errors = true},
                   .on_listening = write_response},
        .request = read_request(),
    };
    int result = EXIT_FAILURE;
    if (self.request && (!self.request->use_tls || self.request->server_creds))
        result = run(&self, argv[0]);
    else
        fputs("conformance-server wants a ServerCompatRequest on standard input\n", stderr);
    connectrpc__conformance__v1__server_compat_request__free_unpacked(self.request, NULL);
    return result;
}
