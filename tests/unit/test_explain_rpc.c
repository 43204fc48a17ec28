// Explain by a token's id over the wire: one loop in this process, a blocking client, and the test in place
// of the follower, which runs the errand as late as it likes.
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/typeid.h"
#include "common/grpc/server.h"
#include "common/grpc_client/client.h"
#include "latchkey/v1/validation.pb-c.h"
#include "services/validator/decide/explain_rpc.h"
#include "tests/unit/unit.h"
#include "tests/unit/validator_image.h"

enum { LONG_MS = 20000 };

static const char *const names[] = {"charges.read", "latchkey.validate.explain"};
static const struct bytes grants[] = {BYTES_LITERAL("charges.read"),
                                      BYTES_LITERAL("latchkey.validate.explain")};
static const struct uuid asked_about = {{7}};

static struct server {
    struct validator_image made;
    struct secret secret;
    struct validate_service service;
    struct validate_loop loop;
    struct loop_group *loops;
    struct use_log *uses;
    struct grpc_server *grpc;
    struct loop_task enter, leave;
    char target[64];

    struct errand *errand; // the one that was sent
    sem_t is_sent;
} server;

static void send_errand(struct errand *errand) {
    server.errand = errand;
    sem_post(&server.is_sent);
}

static void enter_loop(struct loop_task *task) {
    (void)task;
    validate_loop_enter(&server.loop, loop_group_get_loop(server.loops, 0));
}

static void leave_loop(struct loop_task *task) {
    (void)task;
    validate_loop_leave(&server.loop);
}

static const struct lookup_service lookups = {&server.service, send_errand};
static const struct grpc_method methods[] = {{.path = "/latchkey.v1.ValidationService/Explain",
                                              .request = &latchkey__v1__explain_request__descriptor,
                                              .response = &latchkey__v1__explain_response__descriptor,
                                              .shape = GRPC_UNARY,
                                              .handler = &explain_handler,
                                              .context = &lookups}};

static void start_transport(void) {
    const struct router_table table = {methods, ARRAY_LENGTH(methods)};
    struct grpc_server_options options = {.tables = &table, .table_count = 1, .loops = server.loops};
    const struct listener *listener;
    char error[256];
    grpc_server_settings_init(&options.settings);
    assert_int_equal(grpc_server_new(&options, &server.grpc), STATUS_OK);
    assert_int_equal(grpc_server_listen(server.grpc, "127.0.0.1:0", error, sizeof(error), &listener),
                     STATUS_OK);
    snprintf(server.target, sizeof(server.target), "127.0.0.1:%u", listener_get_port(listener));
    server.enter.run = enter_loop;
    server.leave.run = leave_loop;
    loop_post(loop_group_get_loop(server.loops, 0), &server.enter);
    loop_add_stop_task(loop_group_get_loop(server.loops, 0), &server.leave);
    assert_int_equal(loop_group_start(server.loops), STATUS_OK);
}

static int set_up(void **state) {
    (void)state;
    server = (struct server){0};
    sem_init(&server.is_sent, 0, 0);
    validator_image_init(&server.made, names, ARRAY_LENGTH(names), ARRAY_LENGTH(names));
    struct uuid company = validator_image_add_company(&server.made, 1);
    server.secret = validator_image_put(&server.made, validator_image_make_row(1, company, grants, 2));
    struct token_row row = validator_image_make_row(2, company, grants, 1);
    row.token_id = asked_about;
    (void)validator_image_put(&server.made, row);
    const struct validate_waits_options waits = {.validator = &server.made.validator,
                                                 .reading = &server.loop.reading};
    validate_waits_init(&server.loop.waits, &waits);
    server.service = (struct validate_service){
        .validator = &server.made.validator, .shape = validator_image_shape, .loops = &server.loop};
    assert_int_equal(loop_group_new(1, clock_get_system(), &server.loops), STATUS_OK);
    // Uses are gathered; there is no database to write them to.
    const struct use_log_options uses = {.loops = server.loops,
                                         .connection.url = "host=/nonexistent",
                                         .clock = clock_get_system(),
                                         .server = "test",
                                         .flush_interval_ms = LONG_MS,
                                         .capacity = 64};
    assert_int_equal(use_log_new(&uses, &server.uses), STATUS_OK);
    server.loop.uses = use_log_get_loop(server.uses, 0);
    start_transport();
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    loop_group_stop(server.loops);
    use_log_free(server.uses);
    grpc_server_free(server.grpc);
    loop_group_free(server.loops);
    validate_waits_fini(&server.loop.waits);
    validator_image_fini(&server.made);
    sem_destroy(&server.is_sent);
    return 0;
}

struct asking {
    pthread_t thread;
    struct arena arena;
    struct fault fault;
    enum status status;
    const Latchkey__V1__ExplainResponse *response;
};

static void *run_ask(void *context) {
    struct asking *asking = context;
    Latchkey__V1__ExplainRequest request = LATCHKEY__V1__EXPLAIN_REQUEST__INIT;
    Latchkey__V1__ValidateRequest question = LATCHKEY__V1__VALIDATE_REQUEST__INIT;
    struct typeid id = typeid_of(TYPEID_TOKEN, asked_about);
    struct grpc_client_options options = {.service_config = "{}"};
    struct grpc_client *client;
    ProtobufCMessage *response = NULL;
    char error[256], bearer[128];
    snprintf(bearer, sizeof(bearer), "Bearer %s", server.secret.text);
    request.token_id = id.text;
    request.request = &question;
    question.channel = LATCHKEY__V1__CHANNEL__CHANNEL_API;
    const struct grpc_metadata metadata = {"authorization", bearer};
    const struct grpc_client_call call = {.path = methods[0].path,
                                          .request = &request.base,
                                          .response = methods[0].response,
                                          .metadata = &metadata,
                                          .metadata_count = 1,
                                          .timeout_ms = LONG_MS};
    asking->status = grpc_client_new(server.target, &options, &client, error, sizeof(error));
    if (asking->status != STATUS_OK)
        return NULL;
    asking->status = grpc_client_call(client, &call, &asking->arena, &response, &asking->fault);
    asking->response = (const Latchkey__V1__ExplainResponse *)response;
    grpc_client_free(client);
    return NULL;
}

// Asks, and waits until the errand is on its way.
static void begin(struct asking *asking) {
    *asking = (struct asking){0};
    arena_init(&asking->arena, 0);
    fault_init(&asking->fault, &asking->arena);
    assert_int_equal(pthread_create(&asking->thread, NULL, run_ask, asking), 0);
    sem_wait(&server.is_sent);
}

static void run_errand(const struct image *image) {
    server.errand->run(server.errand, image, clock_get_realtime_ms(clock_get_system()));
}

static void assert_allowed(struct asking *asking) {
    pthread_join(asking->thread, NULL);
    assert_int_equal(asking->status, STATUS_OK);
    assert_int_equal(asking->response->response->decision, LATCHKEY__V1__DECISION__DECISION_ALLOW);
    arena_fini(&asking->arena);
}

static void a_token_is_explained_by_its_id(void **state) {
    (void)state;
    struct asking asking;
    begin(&asking);
    run_errand(server.made.image);
    assert_allowed(&asking);
}

static void what_comes_back_when_the_lease_has_run_out_is_not_told(void **state) {
    (void)state;
    struct asking asking;
    begin(&asking);
    lease_withdraw(&server.made.validator.lease);
    run_errand(server.made.image);
    pthread_join(asking.thread, NULL);
    assert_int_equal(asking.status, STATUS_UNAVAILABLE);
    arena_fini(&asking.arena);
}

static void an_errand_that_met_no_current_image_is_sent_again_when_there_is_one(void **state) {
    (void)state;
    struct asking asking;
    begin(&asking);
    run_errand(NULL);
    sem_wait(&server.is_sent);
    run_errand(server.made.image);
    assert_allowed(&asking);
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_token_is_explained_by_its_id),
        CASE(what_comes_back_when_the_lease_has_run_out_is_not_told),
        CASE(an_errand_that_met_no_current_image_is_sent_again_when_there_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
