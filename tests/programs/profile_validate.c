// What LATCHKEY_PROFILE learns from (cmake/profile.cmake): questions as backends ask them, one by one, a
// hundred at once, in batches and on streams, over an image of tokens of which most are good, and whole
// connections of the server in this thread.
//
// `profile-validate measure` tells what each takes, without the kernel: ns of user time for a question.
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/grpc/connection.h"
#include "common/grpc/framing.h"
#include "common/net/loop_internal.h"
#include "latchkey/v1/validation.pb-c.h"
#include "services/validator/decide/validate_batch_rpc.h"
#include "services/validator/decide/validate_rpc.h"
#include "services/validator/decide/validate_stream_rpc.h"
#include "tests/unit/memory_stream.h"
#include "tests/unit/unit.h"
#include "tests/unit/validator_image.h"

enum { TOKENS = 1024, BODY_MAX = 128 * 1024, CAPACITY = 4096, PORTION = 100 };
enum {
    GOOD_OF = 8,
    WINDOW = INT32_MAX,
    HEADERS_FRAME = 1,
    DATA_FRAME = 0,
    FRAME_HEAD = 9,
    FRAME_MAX = 16384
};

static void check(bool is_right, const char *what) {
    if (is_right)
        return;
    fprintf(stderr, "%s\n", what);
    exit(EXIT_FAILURE);
}

// ---- the server ----

struct served {
    struct validator_image made;
    struct validate_loop mine;
    struct validate_service service;
    struct loop_group *loops;
    struct use_log *uses;
    struct grpc_server *grpc;
    struct secret secrets[TOKENS];
};

static struct served served;

enum { VALIDATE, BATCH, STREAM };

#define METHOD(name, message, its_shape, its_handler)                                     \
    {                                                                                     \
        .path = "/latchkey.v1.ValidationService/" name,                                   \
        .request = &latchkey__v1__##message##_request__descriptor,                        \
        .response = &latchkey__v1__##message##_response__descriptor, .shape = its_shape,  \
        .max_request_bytes = 1 << 20, .handler = &its_handler, .context = &served.service \
    }

static const struct grpc_method methods[] = {
    [VALIDATE] = METHOD("Validate", validate, GRPC_UNARY, validate_handler),
    [BATCH] = METHOD("ValidateBatch", validate_batch, GRPC_UNARY, validate_batch_handler),
    [STREAM] = METHOD("ValidateStream", validate_stream, GRPC_BIDI, validate_stream_handler),
};

static void turn(void) {
    uv_run(loop_get_uv(loop_group_get_loop(served.loops, 0)), UV_RUN_NOWAIT);
}

static void make_image(void) {
    static const char *const names[] = {"charges.create", "charges.read", "refunds.create", "customers.read"};
    static const struct bytes grants[] = {BYTES_LITERAL("charges.read"), BYTES_LITERAL("refunds.create")};
    static const struct ip_prefix prefix = {{.family = IP_FAMILY_V4, .bytes = {203, 0, 113}}, 24};
    validator_image_init(&served.made, names, 4, 4);
    struct uuid company_id = validator_image_add_company(&served.made, 1);
    for (size_t i = 0; i < TOKENS; i++) {
        struct token_row row = validator_image_make_row(2, company_id, grants, 2);
        memcpy(row.token_id.bytes + 2, &i, sizeof(i));
        row.is_deactivated = i % GOOD_OF == 0;
        row.rule.ips = &prefix;
        row.rule.ip_count = i % 2;
        served.secrets[i] = validator_image_put(&served.made, row);
    }
}

static void make_server(void) {
    const struct router_table table = {methods, ARRAY_LENGTH(methods)};
    struct grpc_server_options options = {.tables = &table, .table_count = 1};
    grpc_server_settings_init(&options.settings);
    check(loop_group_new(1, clock_get_system(), &served.loops) == STATUS_OK, "no loop");
    options.loops = served.loops;
    const struct use_log_options uses = {.loops = served.loops,
                                         .connection.url = "host=/nonexistent",
                                         .clock = clock_get_system(),
                                         .server = "profile",
                                         .flush_interval_ms = INT32_MAX,
                                         .capacity = CAPACITY};
    check(use_log_new(&uses, &served.uses) == STATUS_OK, "no log of uses");
    served.mine.uses = use_log_get_loop(served.uses, 0);
    check(denial_log_new(CAPACITY, CAPACITY, &served.mine.denials) == STATUS_OK, "no log of denials");
    check(grpc_server_new(&options, &served.grpc) == STATUS_OK, "no server");
    const struct validate_waits_options waits = {
        .validator = &served.made.validator, .reading = &served.mine.reading, .max = 1};
    validate_waits_init(&served.mine.waits, &waits);
    served.service = (struct validate_service){
        .validator = &served.made.validator, .shape = validator_image_shape, .loops = &served.mine};
    validate_loop_enter(&served.mine, loop_group_get_loop(served.loops, 0));
}

static uint64_t count_admitted(void) {
    return atomic_load(&served.mine.counters.decisions[REASON_OK]);
}

// ---- the client ----

// why not nghttp2's: what a client does in it is not to be learnt from. Its compressor makes two blocks for
// each connection, of which the second holds for all that follow.
struct client {
    struct memory_stream stream;
    struct buffer bytes; // on their way
    uint32_t next_id;
    uint8_t blocks[2][256];
    size_t block_lens[2];
};

static void make_blocks(struct client *client, const char *path) {
#define FIELD(name, value) \
    { (uint8_t *)(name), (uint8_t *)(value), strlen(name), strlen(value), NGHTTP2_NV_FLAG_NONE }
    const nghttp2_nv fields[] = {FIELD(":method", "POST"),
                                 FIELD(":scheme", "http"),
                                 FIELD(":authority", "validator:7078"),
                                 FIELD(":path", path),
                                 FIELD("content-type", "application/grpc"),
                                 FIELD("te", "trailers"),
                                 FIELD("user-agent", "grpc/1.0"),
                                 FIELD("grpc-timeout", "999m")};
    nghttp2_hd_deflater *deflater;
    check(nghttp2_hd_deflate_new(&deflater, 4096) == 0, "no memory");
    for (int i = 0; i < 2; i++) {
        ssize_t len = nghttp2_hd_deflate_hd(deflater, client->blocks[i], sizeof(client->blocks[i]), fields,
                                            ARRAY_LENGTH(fields));
        check(len > 0, "no header block");
        client->block_lens[i] = (size_t)len;
    }
    nghttp2_hd_deflate_del(deflater);
}

static void append_frame(struct buffer *to, uint8_t type, uint8_t flags, uint32_t id, struct bytes payload) {
    const uint8_t head[FRAME_HEAD] = {
        (uint8_t)(payload.len >> 16), (uint8_t)(payload.len >> 8), (uint8_t)payload.len, type,       flags,
        (uint8_t)(id >> 24),          (uint8_t)(id >> 16),         (uint8_t)(id >> 8),   (uint8_t)id};
    buffer_append(to, bytes_of(head, sizeof(head)));
    buffer_append(to, payload);
}

static void append_body(struct buffer *to, uint32_t id, struct bytes body) {
    while (body.len > FRAME_MAX) {
        append_frame(to, DATA_FRAME, 0, id, bytes_of(body.data, FRAME_MAX));
        body = bytes_of(body.data + FRAME_MAX, body.len - FRAME_MAX);
    }
    append_frame(to, DATA_FRAME, NGHTTP2_FLAG_END_STREAM, id, body);
}

static void submit(struct client *client, struct bytes body) {
    size_t block = client->next_id > 1;
    append_frame(&client->bytes, HEADERS_FRAME, NGHTTP2_FLAG_END_HEADERS, client->next_id,
                 bytes_of(client->blocks[block], client->block_lens[block]));
    append_body(&client->bytes, client->next_id, body);
    client->next_id += 2;
}

// Hands over what was submitted, and lets the server work until so many more are admitted.
static void exchange(struct client *client, uint64_t admitted) {
    uint64_t before = count_admitted();
    memory_stream_receive(&client->stream, buffer_get_bytes(&client->bytes));
    for (int i = 0; i < 10000 && count_admitted() - before < admitted; i++)
        turn();
    turn();
    check(count_admitted() - before == admitted, "not all that are good were admitted");
    check(!client->stream.is_closed, "the server has closed the connection");
    buffer_reset(&client->bytes);
    buffer_reset(&client->stream.written);
}

static void open_connection(struct client *client, const char *path) {
    static const uint8_t hello[] = {
        'P',  'R',  'I',  ' ',  '*', ' ', 'H',
        'T',  'T',  'P',  '/',  '2', '.', '0',
        '\r', '\n', '\r', '\n', 'S', 'M', '\r',
        '\n', '\r', '\n', 0,    0,   6,   4,
        0,    0,    0,    0,    0,   0,   NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE,
        0x7f, 0xff, 0xff, 0xff, // SETTINGS
        0,    0,    4,    8,    0,   0,   0,
        0,    0,    0x7f, 0xf0, 0,   0, // WINDOW_UPDATE
    };
    const struct ip_address near = {.family = IP_FAMILY_V4, .bytes = {127, 0, 0, 1}};
    *client = (struct client){.next_id = 1};
    make_blocks(client, path);
    memory_stream_init(&client->stream, loop_group_get_loop(served.loops, 0), &near);
    connection_open(&served.grpc->home[0], &client->stream.base);
    buffer_append(&client->bytes, bytes_of(hello, sizeof(hello)));
}

// ---- the questions ----

static Latchkey__V1__ValidateRequest make_question(size_t number) {
    static char *permissions[] = {(char *)"charges.read"};
    Latchkey__V1__ValidateRequest question = LATCHKEY__V1__VALIDATE_REQUEST__INIT;
    question.token = served.secrets[number % TOKENS].text;
    question.channel = LATCHKEY__V1__CHANNEL__CHANNEL_API;
    question.client_ip = (char *)"203.0.113.7";
    question.permissions = permissions;
    question.n_permissions = 1;
    return question;
}

static size_t frame(const ProtobufCMessage *message, uint8_t *to) {
    size_t len = protobuf_c_message_pack(message, to + FRAMING_PREFIX_BYTES);
    framing_write_prefix(to, (uint32_t)len);
    return FRAMING_PREFIX_BYTES + len;
}

static uint64_t count_good(size_t first, size_t count) {
    uint64_t good = 0;
    for (size_t i = first; i < first + count; i++)
        good += i % TOKENS % GOOD_OF != 0;
    return good;
}

static uint8_t body[BODY_MAX];

static struct bytes frame_batch(void) {
    Latchkey__V1__ValidateRequest questions[PORTION], *pointers[PORTION];
    Latchkey__V1__ValidateBatchRequest batch = LATCHKEY__V1__VALIDATE_BATCH_REQUEST__INIT;
    for (size_t i = 0; i < PORTION; i++) {
        questions[i] = make_question(i);
        pointers[i] = &questions[i];
    }
    batch.requests = pointers;
    batch.n_requests = PORTION;
    return bytes_of(body, frame(&batch.base, body));
}

static struct bytes frame_stream(void) {
    size_t len = 0;
    for (size_t i = 0; i < PORTION; i++) {
        Latchkey__V1__ValidateRequest question = make_question(i);
        Latchkey__V1__ValidateStreamRequest asked = LATCHKEY__V1__VALIDATE_STREAM_REQUEST__INIT;
        asked.id = i;
        asked.request = &question;
        len += frame(&asked.base, body + len);
    }
    return bytes_of(body, len);
}

// What a connection has to say at once.
struct load {
    const char *name;
    size_t method, questions;
};

static const struct load loads[] = {
    {"1 call", VALIDATE, 1},
    {"10 calls", VALIDATE, 10},
    {"100 calls", VALIDATE, 100},
    {"a batch of 100", BATCH, PORTION},
    {"a stream of 100", STREAM, PORTION},
};
enum { QUESTIONS_EACH = 20000 };

static void submit_load(struct client *client, const struct load *load, size_t first) {
    if (load->method != VALIDATE) {
        submit(client, load->method == BATCH ? frame_batch() : frame_stream());
        return;
    }
    for (size_t i = first; i < first + load->questions; i++) {
        Latchkey__V1__ValidateRequest question = make_question(i);
        submit(client, bytes_of(body, frame(&question.base, body)));
    }
}

static uint64_t count_good_of(const struct load *load, size_t first) {
    return count_good(load->method == VALIDATE ? first : 0, load->questions);
}

static void ask(const struct load *load) {
    struct client client;
    open_connection(&client, methods[load->method].path);
    for (size_t first = 0; first < QUESTIONS_EACH; first += load->questions) {
        submit_load(&client, load, first);
        exchange(&client, count_good_of(load, first));
    }
}

// ---- how long it takes ----

enum { CONNECTIONS = 8, QUESTIONS_MEASURED = 100000, ROUNDS = 15 };

static uint64_t get_user_ns(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)usage.ru_utime.tv_sec * 1000000000 + (uint64_t)usage.ru_utime.tv_usec * 1000;
}

// The questions are made before, so that only the server is measured.
struct asking {
    struct client client;
    size_t *ends; // in its bytes, of what it says at once
};

static void prepare(struct asking *asking, const struct load *load, size_t times) {
    open_connection(&asking->client, methods[load->method].path);
    asking->ends = calloc(times, sizeof(*asking->ends));
    for (size_t i = 0; i < times; i++) {
        submit_load(&asking->client, load, i * load->questions);
        asking->ends[i] = asking->client.bytes.len;
    }
}

static void say(struct asking *asking, size_t time) {
    size_t from = time == 0 ? 0 : asking->ends[time - 1];
    buffer_reset(&asking->client.stream.written);
    memory_stream_receive(&asking->client.stream,
                          bytes_of(asking->client.bytes.data + from, asking->ends[time] - from));
}

static void leave(struct asking *asking) {
    struct memory_stream *stream = &asking->client.stream;
    stream->base.callbacks->on_end(stream->base.context, STREAM_END_PEER_CLOSED);
    memory_stream_fini(stream);
    buffer_fini(&asking->client.bytes);
    free(asking->ends);
}

static double measure(const struct load *load) {
    struct asking askings[CONNECTIONS];
    size_t times = QUESTIONS_MEASURED / load->questions / CONNECTIONS;
    for (size_t i = 0; i < CONNECTIONS; i++)
        prepare(&askings[i], load, times);
    uint64_t before = get_user_ns(), due = count_admitted();
    for (size_t time = 0; time < times; time++) {
        for (size_t i = 0; i < CONNECTIONS; i++)
            say(&askings[i], time);
        due += CONNECTIONS * count_good_of(load, time * load->questions);
        do
            turn();
        while (count_admitted() < due);
    }
    uint64_t took_ns = get_user_ns() - before;
    for (size_t i = 0; i < CONNECTIONS; i++)
        leave(&askings[i]);
    return (double)took_ns / (double)(times * load->questions * CONNECTIONS);
}

static int compare(const void *a, const void *b) {
    const double *left = a, *right = b;
    return *left < *right ? -1 : *left > *right;
}

static void measure_all(void) {
    double took[ARRAY_LENGTH(loads)][ROUNDS];
    for (size_t round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < ARRAY_LENGTH(loads); i++)
            took[i][round] = measure(&loads[i]);
    for (size_t i = 0; i < ARRAY_LENGTH(loads); i++) {
        qsort(took[i], ROUNDS, sizeof(took[i][0]), compare);
        printf("%s: %.0f ns (%.0f to %.0f)\n", loads[i].name, took[i][ROUNDS / 2], took[i][0],
               took[i][ROUNDS - 1]);
    }
}

int main(int argc, char **argv) {
    make_image();
    make_server();
    if (argc == 2 && strcmp(argv[1], "measure") == 0) {
        measure_all();
        return EXIT_SUCCESS;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(loads); i++)
        ask(&loads[i]);
    // The process ends here: what it holds is the system's to take back.
    return EXIT_SUCCESS;
}
