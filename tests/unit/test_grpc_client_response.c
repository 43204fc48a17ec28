// What a client reads out of an answer, as a table of headers, data and trailers; the data also one byte at a
// time.
#include <string.h>

#include "common/grpc_client/client.h"
#include "common/grpc_client/client_response.h"
#include "google/protobuf/wrappers.pb-c.h"
#include "tests/unit/unit.h"

#define MESSAGE_BYTES_MAX 100
#define HI "\0\0\0\0\4\n\2hi"      // a StringValue
#define EMPTY_MESSAGE "\0\0\0\0\0" // an empty one
#define GRPC \
    { "content-type", "application/grpc" }
#define OK_STATUS \
    { "grpc-status", "0" }

struct header {
    const char *name, *value;
};

struct answer {
    const char *what;
    struct header headers[6]; // trailers too: nothing tells them apart
    struct bytes data;
    enum status status;
    const char *reason; // NULL = OK
};

static const struct answer answers[] = {
    {"a message", {{":status", "200"}, GRPC, OK_STATUS}, BYTES_LITERAL(HI), STATUS_OK, NULL},
    {"an empty message",
     {{":status", "200"}, GRPC, OK_STATUS},
     BYTES_LITERAL(EMPTY_MESSAGE),
     STATUS_OK,
     NULL},
    {"a subtype",
     {{":status", "200"}, {"content-type", "application/grpc+proto"}, OK_STATUS},
     BYTES_LITERAL(HI),
     STATUS_OK,
     NULL},
    {"a parameter",
     {{":status", "200"}, {"content-type", "application/grpc; charset=utf-8"}, OK_STATUS},
     BYTES_LITERAL(HI),
     STATUS_OK,
     NULL},
    {"a status alone",
     {{":status", "200"}, GRPC, {"grpc-status", "5"}, {"grpc-message", "not%20here"}},
     BYTES_EMPTY,
     STATUS_NOT_FOUND,
     "NOT_FOUND"},
    {"a status behind a message",
     {{":status", "200"}, GRPC, {"grpc-status", "10"}},
     BYTES_LITERAL(HI),
     STATUS_ABORTED,
     "ABORTED"},
    {"a status that gRPC does not know",
     {{":status", "200"}, GRPC, {"grpc-status", "77"}},
     BYTES_EMPTY,
     STATUS_INTERNAL,
     "UNKNOWN"},
    {"a status that is none",
     {{":status", "200"}, GRPC, {"grpc-status", "OK"}},
     BYTES_EMPTY,
     STATUS_INTERNAL,
     GRPC_CLIENT_RESPONSE_MALFORMED},
    {"no message",
     {{":status", "200"}, GRPC, OK_STATUS},
     BYTES_EMPTY,
     STATUS_INTERNAL,
     GRPC_CLIENT_RESPONSE_MALFORMED},
    {"two messages",
     {{":status", "200"}, GRPC, OK_STATUS},
     BYTES_LITERAL(HI HI),
     STATUS_INTERNAL,
     GRPC_CLIENT_RESPONSE_MALFORMED},
    {"half a message",
     {{":status", "200"}, GRPC, OK_STATUS},
     BYTES_LITERAL("\0\0\0\0\4\n"),
     STATUS_INTERNAL,
     GRPC_CLIENT_RESPONSE_MALFORMED},
    {"a message and half of another",
     {{":status", "200"}, GRPC, OK_STATUS},
     BYTES_LITERAL(HI "\0\0"),
     STATUS_INTERNAL,
     GRPC_CLIENT_RESPONSE_MALFORMED},
    {"a compressed message",
     {{":status", "200"}, GRPC, OK_STATUS},
     BYTES_LITERAL("\1\0\0\0\4\n\2hi"),
     STATUS_INTERNAL,
     GRPC_CLIENT_RESPONSE_MALFORMED},
    {"a flag that is none",
     {{":status", "200"}, GRPC, OK_STATUS},
     BYTES_LITERAL("\2\0\0\0\4\n\2hi"),
     STATUS_INTERNAL,
     GRPC_CLIENT_RESPONSE_MALFORMED},
    {"bytes that are no message of the type",
     {{":status", "200"}, GRPC, OK_STATUS},
     BYTES_LITERAL("\0\0\0\0\2\n\7"),
     STATUS_INTERNAL,
     GRPC_CLIENT_RESPONSE_MALFORMED},
    {"a message above the limit",
     {{":status", "200"}, GRPC, OK_STATUS},
     BYTES_LITERAL("\0\0\0\0\x65"),
     STATUS_INTERNAL,
     GRPC_CLIENT_RESPONSE_TOO_LARGE},
    {"no status",
     {{":status", "200"}, GRPC},
     BYTES_LITERAL(HI),
     STATUS_INTERNAL,
     GRPC_CLIENT_RESPONSE_MALFORMED},
    {"gRPC-Web",
     {{":status", "200"}, {"content-type", "application/grpc-web"}},
     BYTES_LITERAL(HI),
     STATUS_INTERNAL,
     GRPC_CLIENT_NOT_GRPC},
    {"a page",
     {{":status", "200"}, {"content-type", "text/html"}},
     BYTES_LITERAL("<html>"),
     STATUS_INTERNAL,
     GRPC_CLIENT_NOT_GRPC},
    {"a proxy without a server",
     {{":status", "503"}, {"content-type", "text/plain"}},
     BYTES_LITERAL("no healthy upstream"),
     STATUS_UNAVAILABLE,
     GRPC_CLIENT_NOT_GRPC},
    {"a proxy that wants a log-in",
     {{":status", "401"}},
     BYTES_EMPTY,
     STATUS_UNAUTHENTICATED,
     GRPC_CLIENT_NOT_GRPC},
    {"a page that is not there",
     {{":status", "404"}},
     BYTES_EMPTY,
     STATUS_UNIMPLEMENTED,
     GRPC_CLIENT_NOT_GRPC},
};

static void read_answer(const struct answer *answer, size_t piece_len) {
    struct arena arena;
    struct fault fault;
    struct client_response response;
    ProtobufCMessage *message = NULL;
    arena_init(&arena, 0);
    fault_init(&fault, &arena);
    client_response_init(&response, &arena, MESSAGE_BYTES_MAX);
    struct client_sink sink = client_response_get_sink(&response);
    bool is_wanted = true;
    for (size_t i = 0; is_wanted && answer->headers[i].name; i++)
        is_wanted = sink.add_header(sink.context, bytes_of_text(answer->headers[i].name),
                                    bytes_of_text(answer->headers[i].value));
    for (size_t at = 0; is_wanted && at < answer->data.len; at += piece_len) {
        size_t left = answer->data.len - at;
        is_wanted = sink.add_data(sink.context,
                                  bytes_of(answer->data.data + at, left < piece_len ? left : piece_len));
    }
    enum status status = client_response_finish(
        &response, "the server", &google__protobuf__string_value__descriptor, &message, &fault);
    if (status != answer->status || (fault.reason != NULL) != (answer->reason != NULL) ||
        (answer->reason && strcmp(fault.reason, answer->reason) != 0))
        fail_msg("%s: %s %s", answer->what, status_get_name(status), fault.reason ? fault.reason : "");
    assert_true((status == STATUS_OK) == (message != NULL));
    client_response_fini(&response);
    arena_fini(&arena);
}

static void answers_are_read_as_the_specification_says(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(answers); i++)
        read_answer(&answers[i], SIZE_MAX / 2);
}

static void answers_are_read_the_same_byte_by_byte(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(answers); i++)
        read_answer(&answers[i], 1);
}

static void headers_without_end_are_given_up(void **state) {
    (void)state;
    struct arena arena;
    struct client_response response;
    size_t count = 0;
    arena_init(&arena, 0);
    client_response_init(&response, &arena, MESSAGE_BYTES_MAX);
    struct client_sink sink = client_response_get_sink(&response);
    while (sink.add_header(sink.context, BYTES_LITERAL("x"), BYTES_LITERAL("0123456789abcdef")))
        count++;
    assert_in_range(count, 3000, 5000);
    assert_string_equal(response.given_up_reason, GRPC_CLIENT_RESPONSE_TOO_LARGE);
    client_response_fini(&response);
    arena_fini(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_read_as_the_specification_says),
        cmocka_unit_test(answers_are_read_the_same_byte_by_byte),
        cmocka_unit_test(headers_without_end_are_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
