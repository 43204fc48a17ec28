// Any bytes from a server, in pieces of any size, to a client's connection: the answer of a unary call, or
// the Watch of its health and then that answer. No crash, no leak, and every end told: a message, or a fault
// with its reason. The server has said all that it says to a request before it is waited for.
//
// Input: a byte of options (1: no SETTINGS of ours in front, and all is said at once; 2: health is asked for
// first), then pieces, each a byte of length and so many bytes. One without bytes ends what is said to the
// Watch.
#include <assert.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/grpc_client/client_connection.h"
#include "common/grpc_client/client_health.h"
#include "common/grpc_client/client_request.h"
#include "common/grpc_client/client_response.h"
#include "common/grpc_client/client_transport.h"
#include "google/protobuf/wrappers.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OPTION_NO_SETTINGS = 1, OPTION_HEALTH = 2, RESPONSE_BYTES_MAX = 10000, BUFFER_BYTES = 1 << 20 };

#define SETTINGS BYTES_LITERAL("\0\0\0\4\0\0\0\0\0")
#define TYPE (&google__protobuf__string_value__descriptor)

struct server {
    int fd;
    struct bytes input; // not said yet
};

// A packet is what one read brings; one without bytes would be the end.
static void say(int server, struct bytes bytes) {
    if (bytes.len > 0)
        (void)!send(server, bytes.data, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

// Takes from the front of the input up to a piece without bytes.
static void say_pieces(struct server *server) {
    struct bytes input = server->input;
    while (input.len > 0) {
        size_t len = input.data[0];
        input = bytes_of(input.data + 1, input.len - 1);
        len = len < input.len ? len : input.len;
        if (len == 0)
            break;
        say(server->fd, bytes_of(input.data, len));
        input = bytes_of(input.data + len, input.len - len);
    }
    server->input = input;
}

static void say_rest(struct server *server) {
    while (server->input.len > 0)
        say_pieces(server);
    shutdown(server->fd, SHUT_WR);
}

static const struct client_request_options request_options = {
    .path = "/a/b", .authority = "a", .user_agent = "fuzz", .has_timeout = true, .timeout_ns = 1000};

// Only looks: the Watch stays open beside the call.
static struct client_health *ask_health(struct client_connection *connection, struct server *server) {
    struct client_health *health = client_health_new(connection, "", &request_options);
    assert(health);
    say_pieces(server);
    (void)client_connection_is_usable(connection);
    (void)client_health_is_serving(health);
    return health;
}

static void judge(const struct client_response *response, const struct client_exchange *exchange,
                  enum client_end end) {
    struct fault fault;
    ProtobufCMessage *message = NULL;
    fault_init(&fault, response->arena);
    bool is_said = end == CLIENT_END_COMPLETE || end == CLIENT_END_GIVEN_UP ||
                   (end == CLIENT_END_RESET && response->has_code);
    enum status status = is_said ? client_response_finish(response, "the server", TYPE, &message, &fault)
                                 : client_response_explain_end(end, exchange->error_code, "it", &fault);
    assert(status == fault.status && (status == STATUS_OK) == (message != NULL));
    assert(status == STATUS_OK || fault.reason);
}

static void ask(struct client_connection *connection, struct server *server) {
    struct client_request_head head;
    struct client_response response;
    struct arena arena;
    arena_init(&arena, 0);
    client_request_write_head(&head, &request_options);
    client_response_init(&response, &arena, RESPONSE_BYTES_MAX);
    struct client_exchange exchange = {
        .sink = client_response_get_sink(&response), .unsent = BYTES_LITERAL("\0\0\0\0\0"), .is_last = true};
    client_connection_begin(connection, &exchange, head.fields, head.count);
    say_rest(server);
    enum client_wait waited = client_connection_wait(connection, &exchange, NULL, NULL, UINT64_MAX);
    assert(waited == CLIENT_WAIT_OVER);
    judge(&response, &exchange, client_connection_get_end(connection, &exchange));
    client_connection_cancel(connection, &exchange);
    client_response_fini(&response);
    arena_fini(&arena);
}

static void call(int client, struct server *server, uint8_t options) {
    const struct client_connection_options connection_options = {.clock = clock_get_system()};
    struct client_failure failure = {0};
    struct client_transport *transport = client_transport_open_over(client, clock_get_system());
    if (!transport)
        return;
    struct client_connection *connection =
        client_connection_open_over(transport, "the server", &connection_options, UINT64_MAX, &failure);
    assert(connection || failure.reason);
    if (!connection)
        return;
    struct client_health *health = options & OPTION_HEALTH ? ask_health(connection, server) : NULL;
    ask(connection, server);
    client_health_free(health);
    client_connection_close(connection);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    int ends[2];
    if (size == 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
        return 0;
    // Room for all that is said before anybody listens.
    setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &(int){BUFFER_BYTES}, sizeof(int));
    struct server server = {.fd = ends[1], .input = bytes_of(data + 1, size - 1)};
    if (data[0] & OPTION_NO_SETTINGS)
        say_rest(&server);
    else
        say(server.fd, SETTINGS);
    call(ends[0], &server, data[0]);
    close(ends[1]);
    return 0;
}
