// Whether the time of a refusal tells what a secret once was: unknown secrets, deactivated ones, expired ones
// and those of another company are asked about in random order, each over an image of many tokens and a whole
// connection of the server in this thread, from the bytes of the request to the bytes of the answer. Reasons
// are folded, so that nothing but the time can tell them apart; refusals are noted as a validator does it.
//
// usage: bench-timing TOKENS SAMPLES
// Writes one JSON object: mean and deviation of each class in ns, and Welch's t of unknown and each other
// one.
#include <math.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/random.h"
#include "common/grpc/connection.h"
#include "common/grpc/framing.h"
#include "common/net/loop_internal.h"
#include "latchkey/v1/validation.pb-c.h"
#include "services/validator/decide/validate_rpc.h"
#include "tests/unit/memory_stream.h"
#include "tests/unit/unit.h"
#include "tests/unit/validator_server.h"

enum class { UNKNOWN, DEACTIVATED, EXPIRED, FOREIGN, CLASS_COUNT };
static const char *const class_names[] = {"unknown", "deactivated", "expired", "foreign"};

// why a limit: what takes longer was interrupted by the machine, which would hide everything else.
enum { WARM_UP = 10000, INTERRUPTED_NS = 20000, CAPACITY = 4096, COMPANY_DENIALS_MAX = 100 };

// Of the samples of a class (Welford).
struct moments {
    double count, mean, squares;
};

struct question {
    enum class class;
    size_t len;
    uint8_t bytes[VALIDATOR_SERVER_QUESTION_MAX]; // framed
};

static void note(struct moments *moments, double value) {
    double delta = value - moments->mean;
    moments->count++;
    moments->mean += delta / moments->count;
    moments->squares += delta * (value - moments->mean);
}

static double get_error(const struct moments *moments) {
    return moments->squares / (moments->count - 1) / moments->count;
}

static double get_welch_t(const struct moments *a, const struct moments *b) {
    return (a->mean - b->mean) / sqrt(get_error(a) + get_error(b));
}

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void check(bool is_right, const char *what) {
    if (is_right)
        return;
    fprintf(stderr, "%s\n", what);
    exit(EXIT_FAILURE);
}

// ---- the questions ----

static void write_question(struct question *question, enum class class, const char *secret) {
    question->class = class;
    question->len = validator_server_write_question(question->bytes, secret);
}

static const struct bytes grants[] = {BYTES_LITERAL("charges.read"), BYTES_LITERAL("latchkey.validate.any")};

// The secret of one more token: of that class, or a good one beside it.
static struct secret put_token(struct validator_image *made, enum class class, struct uuid company_id,
                               size_t number, bool is_good) {
    struct token_row row = validator_image_make_row((uint8_t) class, company_id, grants, 1);
    memcpy(row.token_id.bytes + 2, &number, sizeof(number));
    row.token_id.bytes[1] = is_good ? 'a' : 'd';
    row.is_deactivated = !is_good && class == DEACTIVATED;
    if (!is_good && class == EXPIRED)
        row.expires_at_ms = 1;
    return validator_image_put(made, row);
}

// Half of the tokens are good: an image of nothing but dead ones would be no usual one. The classes' lie side
// by side, in an order that changes, so that a class is no part of the memory, nor of a line of the cache.
static void put_tokens(struct validator_image *made, const struct uuid companies[CLASS_COUNT], size_t count,
                       struct question *questions) {
    enum { KINDS = 2 * (CLASS_COUNT - 1) };
    for (size_t i = 0; i < count; i++) {
        size_t first = random_get_u64() % KINDS;
        for (size_t k = 0; k < KINDS; k++) {
            size_t kind = (first + k) % KINDS;
            enum class class = DEACTIVATED + kind / 2;
            struct secret secret = put_token(made, class, companies[class], i, kind % 2 == 0);
            if (kind % 2)
                write_question(&questions[class * count + i], class, secret.text);
        }
    }
}

static void make_unknown(uint8_t lane, size_t count, struct question *questions) {
    for (size_t i = 0; i < count; i++) {
        struct secret secret;
        secret_new(VALIDATOR_IMAGE_BRAND, SECRET_ACCESS, lane, &secret);
        write_question(&questions[i], UNKNOWN, secret.text);
    }
}

static void shuffle(struct question *questions, size_t count) {
    for (size_t i = count - 1; i > 0; i--) {
        size_t other = random_get_u64() % (i + 1);
        struct question question = questions[i];
        questions[i] = questions[other];
        questions[other] = question;
    }
}

// ---- the server ----

static struct validator_server server;
static struct memory_stream stream;
static struct secret asker;

static const struct grpc_method methods[] = {VALIDATOR_SERVER_VALIDATE(&server)};

static void turn(void) {
    uv_run(loop_get_uv(loop_group_get_loop(server.loops, 0)), UV_RUN_NOWAIT);
}

static void open_server(void) {
    const struct validator_server_options options = {.methods = methods,
                                                     .method_count = ARRAY_LENGTH(methods),
                                                     .use_capacity = CAPACITY,
                                                     .folds_reasons = true};
    const struct ip_address far = {.family = IP_FAMILY_V4, .bytes = {198, 51, 100, 1}};
    validator_server_open(&server, &options);
    check(denial_log_new(CAPACITY, COMPANY_DENIALS_MAX, &server.mine.denials) == STATUS_OK, "no memory");
    validate_loop_enter(&server.mine, loop_group_get_loop(server.loops, 0));
    memory_stream_init(&stream, loop_group_get_loop(server.loops, 0), &far);
    connection_open(&server.grpc->home[0], &stream.base);
    turn();
}

// ---- the client ----

struct body {
    struct bytes left;
};

static ssize_t read_body(nghttp2_session *session, int32_t stream_id, uint8_t *to, size_t room,
                         uint32_t *flags, nghttp2_data_source *source, void *user_data) {
    (void)session, (void)stream_id, (void)user_data;
    struct body *body = source->ptr;
    size_t len = body->left.len < room ? body->left.len : room;
    memcpy(to, body->left.data, len);
    body->left = bytes_of(body->left.data + len, body->left.len - len);
    *flags |= body->left.len == 0 ? NGHTTP2_DATA_FLAG_EOF : 0;
    return (ssize_t)len;
}

// The answer: its message ends in the reason's number, so that the test would see a wrong one.
struct client {
    nghttp2_session *session;
    bool is_refused_as_unknown;
};

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *data,
                   size_t len, void *user_data) {
    (void)session, (void)flags, (void)stream_id;
    struct client *client = user_data;
    Latchkey__V1__ValidateResponse *response = latchkey__v1__validate_response__unpack(
        NULL, len - FRAMING_PREFIX_BYTES, data + FRAMING_PREFIX_BYTES);
    client->is_refused_as_unknown = response && response->decision == LATCHKEY__V1__DECISION__DECISION_DENY &&
                                    response->reason == LATCHKEY__V1__REASON__REASON_UNKNOWN;
    latchkey__v1__validate_response__free_unpacked(response, NULL);
    return 0;
}

static void make_client(struct client *client) {
    nghttp2_session_callbacks *callbacks;
    check(nghttp2_session_callbacks_new(&callbacks) == 0, "no memory");
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    check(nghttp2_session_client_new(&client->session, callbacks, client) == 0, "no memory");
    nghttp2_session_callbacks_del(callbacks);
    check(nghttp2_submit_settings(client->session, NGHTTP2_FLAG_NONE, NULL, 0) == 0, "no memory");
}

static void take_frames(struct client *client, struct buffer *frames) {
    const uint8_t *data;
    buffer_reset(frames);
    for (ssize_t len; (len = nghttp2_session_mem_send(client->session, &data)) > 0;)
        buffer_append(frames, bytes_of(data, (size_t)len));
}

static void submit(struct client *client, struct body *body) {
#define FIELD(name, value) \
    { (uint8_t *)(name), (uint8_t *)(value), strlen(name), strlen(value), NGHTTP2_NV_FLAG_NONE }
    const nghttp2_nv fields[] = {FIELD(":method", "POST"),
                                 FIELD(":scheme", "http"),
                                 FIELD(":authority", "validator"),
                                 FIELD(":path", methods[0].path),
                                 FIELD("content-type", "application/grpc"),
                                 FIELD("te", "trailers"),
                                 FIELD("x-access-token", asker.text)};
    nghttp2_data_provider provider = {.source.ptr = body, .read_callback = read_body};
    check(nghttp2_submit_request(client->session, NULL, fields, ARRAY_LENGTH(fields), &provider, NULL) > 0,
          "no stream is left");
}

// In ns, from the bytes of the request to those of the answer.
static double ask(struct client *client, const struct question *question, struct buffer *frames) {
    struct body body = {bytes_of(question->bytes, question->len)};
    submit(client, &body);
    take_frames(client, frames);
    uint64_t started_ns = now_ns();
    memory_stream_receive(&stream, buffer_get_bytes(frames));
    uint64_t elapsed_ns = now_ns() - started_ns;
    turn();
    client->is_refused_as_unknown = false;
    struct bytes written = buffer_get_bytes(&stream.written);
    check(nghttp2_session_mem_recv(client->session, written.data, written.len) == (ssize_t)written.len,
          "the answer is no HTTP/2");
    buffer_reset(&stream.written);
    check(client->is_refused_as_unknown, "an answer other than UNKNOWN");
    return (double)elapsed_ns;
}

static void measure(const struct question *questions, size_t question_count, size_t samples,
                    struct moments *moments) {
    struct client client;
    struct buffer frames = {0};
    make_client(&client);
    for (size_t i = 0; i < WARM_UP + samples; i++) {
        const struct question *question = &questions[random_get_u64() % question_count];
        double elapsed_ns = ask(&client, question, &frames);
        if (i >= WARM_UP && elapsed_ns < INTERRUPTED_NS)
            note(&moments[question->class], elapsed_ns);
    }
    buffer_fini(&frames);
    nghttp2_session_del(client.session);
}

static void report(const struct moments *moments) {
    printf("{");
    for (int i = 0; i < CLASS_COUNT; i++)
        printf("\"%s\": %.2f, \"%s_deviation\": %.1f, ", class_names[i], moments[i].mean, class_names[i],
               sqrt(moments[i].squares / moments[i].count));
    for (int i = UNKNOWN + 1; i < CLASS_COUNT; i++)
        printf("%s\"t_%s\": %.2f", i > UNKNOWN + 1 ? ", " : "", class_names[i],
               get_welch_t(&moments[UNKNOWN], &moments[i]));
    printf("}\n");
}

int main(int argc, char **argv) {
    static const char *const names[] = {"charges.read", "latchkey.validate.any"};
    struct moments moments[CLASS_COUNT] = {0};
    check(argc == 3, "usage: bench-timing TOKENS SAMPLES");
    size_t tokens = strtoul(argv[1], NULL, 10), samples = strtoul(argv[2], NULL, 10);
    struct question *questions = calloc(CLASS_COUNT * tokens, sizeof(*questions));
    check(questions && tokens > 0, "no questions");

    validator_image_init(&server.made, names, 2, 1);
    struct uuid own = validator_image_add_company(&server.made, 1);
    const struct uuid companies[] = {
        [DEACTIVATED] = own, [EXPIRED] = own, [FOREIGN] = validator_image_add_company(&server.made, 65)};
    make_unknown(validator_image_get_lane(own), tokens, questions);
    put_tokens(&server.made, companies, tokens, questions);
    asker = validator_image_put(&server.made, validator_image_make_row(9, own, grants, 1));
    shuffle(questions, CLASS_COUNT * tokens);
    open_server();
    measure(questions, CLASS_COUNT * tokens, samples, moments);
    report(moments);
    // The process ends here: what it holds is the system's to take back.
    return EXIT_SUCCESS;
}
