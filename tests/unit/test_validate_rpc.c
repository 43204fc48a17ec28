// Validate over the wire: one loop in this process, a blocking client, and a writer in place of the follower.
// What is parked, until when, and what a caller is told who can't be answered.
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/typeid.h"
#include "common/grpc/server.h"
#include "common/grpc_client/client.h"
#include "latchkey/v1/validation.pb-c.h"
#include "services/validator/decide/validate_batch_rpc.h"
#include "services/validator/decide/validate_rpc.h"
#include "tests/unit/unit.h"
#include "tests/unit/validator_server.h"

enum {
    LONG_MS = 20000,
    SHORT_MS = 50,
    PARKED_MAX = 2,
    MEMORY_BYTES = 160 * 1024, // of all requests
};

static const char *const names[] = {"charges.create", "charges.read"};
enum { NAME_COUNT = ARRAY_LENGTH(names) };
static const struct bytes grants[] = {BYTES_LITERAL("charges.*")};

static struct validator_server server;

static struct {
    struct uuid company;
    uint8_t lane;
    struct secret secret;
    _Atomic int wakes; // of the follower
    struct loop_task enter, leave;
    char target[64];
} scene;

static void wake_follower(void *context) {
    (void)context;
    scene.wakes++;
}

static void enter_loop(struct loop_task *task) {
    (void)task;
    validate_loop_enter(&server.mine, loop_group_get_loop(server.loops, 0));
}

static void leave_loop(struct loop_task *task) {
    (void)task;
    validate_loop_leave(&server.mine);
}

static const struct grpc_method methods[] = {
    VALIDATOR_SERVER_VALIDATE(&server),
    {.path = "/latchkey.v1.ValidationService/ValidateBatch",
     .request = &latchkey__v1__validate_batch_request__descriptor,
     .response = &latchkey__v1__validate_batch_response__descriptor,
     .shape = GRPC_UNARY,
     .handler = &validate_batch_handler,
     .context = &server.service},
};

static void listen_and_start(void) {
    const struct listener *listener;
    char error[256];
    assert_int_equal(grpc_server_listen(server.grpc, "127.0.0.1:0", error, sizeof(error), &listener),
                     STATUS_OK);
    snprintf(scene.target, sizeof(scene.target), "127.0.0.1:%u", listener_get_port(listener));
    scene.enter.run = enter_loop;
    scene.leave.run = leave_loop;
    loop_post(loop_group_get_loop(server.loops, 0), &scene.enter);
    loop_add_stop_task(loop_group_get_loop(server.loops, 0), &scene.leave);
    assert_int_equal(loop_group_start(server.loops), STATUS_OK);
}

static int set_up(void **state) {
    const struct validator_server_options options = {.methods = methods,
                                                     .method_count = ARRAY_LENGTH(methods),
                                                     .use_capacity = 64,
                                                     .waits_max = PARKED_MAX,
                                                     .min_revision_wait_ms = LONG_MS,
                                                     .wake_follower = wake_follower,
                                                     .request_memory_bytes = MEMORY_BYTES};
    (void)state;
    scene.lane = 1;
    scene.wakes = 0;
    validator_image_init(&server.made, names, NAME_COUNT, NAME_COUNT);
    scene.company = validator_image_add_company(&server.made, scene.lane);
    scene.secret = validator_image_put(&server.made, validator_image_make_row(1, scene.company, grants, 1));
    validator_server_open(&server, &options);
    listen_and_start();
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    validator_server_close(&server);
    validator_image_fini(&server.made);
    return 0;
}

// ---- one call, on a thread of its own where it may be parked ----

struct asking {
    Latchkey__V1__ValidateRequest request;
    char min_revision[REVISION_TEXT_LENGTH + 1];
    int64_t timeout_ms;
    pthread_t thread;
    struct arena arena;
    struct fault fault;
    enum status status;
    const Latchkey__V1__ValidateResponse *response;
};

static void ask(struct asking *asking) {
    struct grpc_client_options options = {0};
    struct grpc_client *client;
    char error[256];
    ProtobufCMessage *response = NULL;
    const struct grpc_client_call call = {.path = methods[0].path,
                                          .request = &asking->request.base,
                                          .response = methods[0].response,
                                          .timeout_ms = asking->timeout_ms};
    asking->status = grpc_client_new(scene.target, &options, &client, error, sizeof(error));
    if (asking->status != STATUS_OK)
        return;
    asking->status = grpc_client_call(client, &call, &asking->arena, &response, &asking->fault);
    asking->response = (const Latchkey__V1__ValidateResponse *)response;
    grpc_client_free(client);
}

static void prepare(struct asking *asking) {
    *asking = (struct asking){.timeout_ms = LONG_MS};
    latchkey__v1__validate_request__init(&asking->request);
    asking->request.token = scene.secret.text;
    asking->request.channel = LATCHKEY__V1__CHANNEL__CHANNEL_API;
    arena_init(&asking->arena, 0);
    fault_init(&asking->fault, &asking->arena);
}

static void prepare_with_revision(struct asking *asking, int64_t seq, int64_t mark) {
    prepare(asking);
    revision_format((struct revision){scene.lane, seq, mark}, asking->min_revision);
    asking->request.min_revision = asking->min_revision;
}

static void *run_ask(void *asking) {
    ask(asking);
    return NULL;
}

static void begin(struct asking *asking) {
    assert_int_equal(pthread_create(&asking->thread, NULL, run_ask, asking), 0);
}

static void join(struct asking *asking) {
    assert_int_equal(pthread_join(asking->thread, NULL), 0);
}

static void assert_allowed(struct asking *asking) {
    assert_int_equal(asking->status, STATUS_OK);
    assert_int_equal(asking->response->decision, LATCHKEY__V1__DECISION__DECISION_ALLOW);
    assert_int_equal(asking->response->reason, LATCHKEY__V1__REASON__REASON_OK);
    arena_fini(&asking->arena);
}

static void assert_failed(struct asking *asking, enum status status, const char *reason) {
    assert_int_equal(asking->status, status);
    assert_string_equal(asking->fault.reason, reason);
    arena_fini(&asking->arena);
}

static uint64_t read(const _Atomic uint64_t *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void wait_until_parked(uint64_t count) {
    while (read(&server.mine.counters.parked) != count)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

// In place of the follower.
static void publish(int64_t seq, int64_t head) {
    validator_image_publish(&server.made, scene.lane, seq, VALIDATOR_IMAGE_MARK, head);
    validate_waits_tell(&server.mine.waits);
    reclaim_run(&server.made.reclaim);
}

static uint64_t count_waits(enum validate_wait_end end) {
    return read(&server.mine.counters.waits[end]);
}

// ---- answers ----

static void a_question_is_answered_with_all_that_is_known(void **state) {
    (void)state;
    struct asking asking;
    prepare(&asking);
    char *permission = (char *)"charges.read";
    asking.request.permissions = &permission;
    asking.request.n_permissions = 1;
    ask(&asking);
    assert_int_equal(asking.status, STATUS_OK);
    assert_string_equal(asking.response->company_id, typeid_of(TYPEID_COMPANY, scene.company).text);
    assert_memory_equal(asking.response->token_id, "tok_", 4);
    assert_string_equal(asking.response->company_external_id, "acme");
    assert_string_equal(asking.response->member_id, "");
    assert_int_equal(asking.response->kind, LATCHKEY__V1__TOKEN_KIND__TOKEN_KIND_ACCESS);
    assert_int_equal(asking.response->n_permissions, NAME_COUNT);
    assert_null(asking.response->expires_at);
    struct revision revision;
    assert_true(revision_parse(bytes_of_text(asking.response->revision), &revision));
    assert_int_equal(revision.seq, VALIDATOR_IMAGE_SEQ);
    assert_int_equal(read(&server.mine.counters.decisions[REASON_OK]), 1);
    assert_allowed(&asking);
}

static void a_refusal_is_an_answer_with_a_reason_and_a_revision_alone(void **state) {
    (void)state;
    struct asking asking;
    prepare(&asking);
    asking.request.channel = LATCHKEY__V1__CHANNEL__CHANNEL_UI;
    ask(&asking);
    assert_int_equal(asking.status, STATUS_OK);
    assert_int_equal(asking.response->decision, LATCHKEY__V1__DECISION__DECISION_DENY);
    assert_int_equal(asking.response->reason, LATCHKEY__V1__REASON__REASON_CHANNEL_NOT_ALLOWED);
    assert_string_equal(asking.response->company_id, "");
    assert_string_equal(asking.response->token_id, "");
    assert_int_equal(asking.response->revision[0], 'A');
    arena_fini(&asking.arena);
}

static void every_bad_field_is_named_at_once(void **state) {
    (void)state;
    static char long_text[2000];
    char *texts[300];
    struct asking asking;
    memset(long_text, 'x', sizeof(long_text) - 1);
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        texts[i] = (char *)"charges.read";
    prepare(&asking);
    asking.request.client_ip = asking.request.domain = long_text;
    asking.request.min_revision = (char *)"yesterday";
    asking.request.permissions = (char *[]){long_text};
    asking.request.n_permissions = 1;
    asking.request.any_permissions = texts;
    asking.request.n_any_permissions = ARRAY_LENGTH(texts);
    ask(&asking);
    const char *expected[] = {"client_ip", "domain", "permissions[0]", "any_permissions", "min_revision"};
    const struct fault_field *field = asking.fault.fields;
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++, field = field->next)
        assert_string_equal(field->field, expected[i]);
    assert_null(field);
    assert_failed(&asking, STATUS_INVALID, "INVALID_ARGUMENT");
}

// ---- not current ----

static void ask_and_fail(enum status status, const char *reason) {
    struct asking asking;
    prepare(&asking);
    ask(&asking);
    assert_true(asking.fault.retry_after_ms > 0);
    assert_failed(&asking, status, reason);
}

static void nothing_is_decided_without_a_lease(void **state) {
    (void)state;
    struct lease *lease = &server.made.validator.lease;
    lease_lose_history(lease);
    ask_and_fail(STATUS_UNAVAILABLE, "HISTORY_LOST");
    lease_recover_history(lease);
    ask_and_fail(STATUS_UNAVAILABLE, "STALE");
    lease_init(lease, 1);
    ask_and_fail(STATUS_UNAVAILABLE, "LOADING");
    lease_grant(lease, 1, 1); // over since long ago
    ask_and_fail(STATUS_UNAVAILABLE, "STALE");
    assert_int_equal(read(&server.mine.counters.not_current[LEASE_STALE]), 2);
}

static void nothing_is_decided_without_an_image(void **state) {
    (void)state;
    atomic_store(&server.made.validator.image, NULL);
    ask_and_fail(STATUS_UNAVAILABLE, "LOADING");
}

// ---- min_revision ----

static void what_is_applied_or_older_than_the_log_is_reached(void **state) {
    (void)state;
    struct asking asking;
    prepare_with_revision(&asking, VALIDATOR_IMAGE_SEQ, VALIDATOR_IMAGE_MARK);
    ask(&asking);
    assert_allowed(&asking);
    prepare_with_revision(&asking, VALIDATOR_IMAGE_SEQ - 1, 4711);
    ask(&asking);
    assert_allowed(&asking);
    assert_int_equal(scene.wakes, 0);
}

static void another_mark_at_its_place_is_of_another_history(void **state) {
    (void)state;
    struct asking asking;
    prepare_with_revision(&asking, VALIDATOR_IMAGE_SEQ, VALIDATOR_IMAGE_MARK + 1);
    ask(&asking);
    assert_failed(&asking, STATUS_FAILED_PRECONDITION, "REVISION_UNKNOWN");
}

static void a_parked_call_is_answered_when_its_revision_is_applied(void **state) {
    (void)state;
    struct asking asking;
    prepare_with_revision(&asking, VALIDATOR_IMAGE_SEQ + 2, VALIDATOR_IMAGE_MARK);
    begin(&asking);
    wait_until_parked(1);
    assert_int_equal(scene.wakes, 1);
    publish(VALIDATOR_IMAGE_SEQ + 1, VALIDATOR_IMAGE_SEQ + 2);
    publish(VALIDATOR_IMAGE_SEQ + 2, VALIDATOR_IMAGE_SEQ + 2);
    join(&asking);
    assert_allowed(&asking);
    assert_int_equal(count_waits(VALIDATE_WAIT_REACHED), 1);
    assert_int_equal(read(&server.mine.counters.parked), 0);
}

static void a_parked_call_learns_that_its_mark_is_foreign(void **state) {
    (void)state;
    struct asking asking;
    prepare_with_revision(&asking, VALIDATOR_IMAGE_SEQ + 1, VALIDATOR_IMAGE_MARK + 1);
    begin(&asking);
    wait_until_parked(1);
    publish(VALIDATOR_IMAGE_SEQ + 1, VALIDATOR_IMAGE_SEQ + 1);
    join(&asking);
    assert_failed(&asking, STATUS_FAILED_PRECONDITION, "REVISION_UNKNOWN");
    assert_int_equal(count_waits(VALIDATE_WAIT_UNKNOWN), 1);
}

static void above_a_head_that_was_read_after_the_call_came_is_of_another_history(void **state) {
    (void)state;
    struct asking asking;
    prepare_with_revision(&asking, VALIDATOR_IMAGE_SEQ + 9, VALIDATOR_IMAGE_MARK);
    begin(&asking);
    wait_until_parked(1);
    // The round that may have been under way when the call came tells nothing,
    publish(VALIDATOR_IMAGE_SEQ, VALIDATOR_IMAGE_SEQ);
    while (scene.wakes < 2) // but the loop has looked and asked for another one
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_int_equal(read(&server.mine.counters.parked), 1);
    publish(VALIDATOR_IMAGE_SEQ, VALIDATOR_IMAGE_SEQ);
    join(&asking);
    assert_failed(&asking, STATUS_FAILED_PRECONDITION, "REVISION_UNKNOWN");
    assert_int_equal(count_waits(VALIDATE_WAIT_UNKNOWN), 1);
}

static void below_a_head_it_waits_on_whatever_the_round(void **state) {
    (void)state;
    struct asking asking;
    prepare_with_revision(&asking, VALIDATOR_IMAGE_SEQ + 3, VALIDATOR_IMAGE_MARK);
    begin(&asking);
    wait_until_parked(1);
    for (int64_t i = 0; i < 3; i++)
        publish(VALIDATOR_IMAGE_SEQ + i, VALIDATOR_IMAGE_SEQ + 3);
    assert_int_equal(count_waits(VALIDATE_WAIT_UNKNOWN), 0);
    publish(VALIDATOR_IMAGE_SEQ + 3, VALIDATOR_IMAGE_SEQ + 3);
    join(&asking);
    assert_allowed(&asking);
}

static void a_revision_that_does_not_come_is_not_reached(void **state) {
    (void)state;
    struct asking asking;
    server.service.min_revision_wait_ms = SHORT_MS;
    prepare_with_revision(&asking, VALIDATOR_IMAGE_SEQ + 1, VALIDATOR_IMAGE_MARK);
    ask(&asking);
    assert_true(asking.fault.retry_after_ms > 0);
    assert_failed(&asking, STATUS_UNAVAILABLE, "REVISION_NOT_REACHED");
    assert_int_equal(count_waits(VALIDATE_WAIT_NOT_REACHED), 1);
}

static void the_reason_is_heard_before_the_calls_own_deadline(void **state) {
    (void)state;
    struct asking asking;
    prepare_with_revision(&asking, VALIDATOR_IMAGE_SEQ + 1, VALIDATOR_IMAGE_MARK);
    asking.timeout_ms = 2000;
    ask(&asking);
    assert_failed(&asking, STATUS_UNAVAILABLE, "REVISION_NOT_REACHED");
}

static void a_lease_that_is_lost_meanwhile_is_told_in_place_of_an_answer(void **state) {
    (void)state;
    struct asking asking;
    prepare_with_revision(&asking, VALIDATOR_IMAGE_SEQ + 1, VALIDATOR_IMAGE_MARK);
    begin(&asking);
    wait_until_parked(1);
    lease_withdraw(&server.made.validator.lease);
    publish(VALIDATOR_IMAGE_SEQ + 1, VALIDATOR_IMAGE_SEQ + 1);
    join(&asking);
    assert_failed(&asking, STATUS_UNAVAILABLE, "STALE");
    assert_int_equal(count_waits(VALIDATE_WAIT_NOT_CURRENT), 1);
}

static void one_call_more_than_may_wait_is_turned_away(void **state) {
    (void)state;
    struct asking asking[PARKED_MAX + 1];
    for (size_t i = 0; i < PARKED_MAX; i++) {
        prepare_with_revision(&asking[i], VALIDATOR_IMAGE_SEQ + 1, VALIDATOR_IMAGE_MARK);
        begin(&asking[i]);
    }
    wait_until_parked(PARKED_MAX);
    prepare_with_revision(&asking[PARKED_MAX], VALIDATOR_IMAGE_SEQ + 1, VALIDATOR_IMAGE_MARK);
    ask(&asking[PARKED_MAX]);
    assert_failed(&asking[PARKED_MAX], STATUS_UNAVAILABLE, "OVERLOADED");
    assert_int_equal(count_waits(VALIDATE_WAIT_OVERLOADED), 1);
    publish(VALIDATOR_IMAGE_SEQ + 1, VALIDATOR_IMAGE_SEQ + 1);
    for (size_t i = 0; i < PARKED_MAX; i++) {
        join(&asking[i]);
        assert_allowed(&asking[i]);
    }
}

static void a_loop_that_ends_leaves_no_call_parked(void **state) {
    (void)state;
    struct asking asking;
    prepare_with_revision(&asking, VALIDATOR_IMAGE_SEQ + 1, VALIDATOR_IMAGE_MARK);
    begin(&asking);
    wait_until_parked(1);
    loop_group_stop(server.loops);
    join(&asking);
    assert_int_not_equal(asking.status, STATUS_OK); // cut off with its connection
    assert_int_equal(count_waits(VALIDATE_WAIT_CANCELLED), 1);
    assert_int_equal(read(&server.mine.counters.parked), 0);
    validate_waits_tell(&server.mine.waits); // the follower is still there
    arena_fini(&asking.arena);
}

// Each question says little, and each answer more.
static void a_batch_whose_answers_take_more_memory_than_there_is_is_turned_away(void **state) {
    (void)state;
    Latchkey__V1__ValidateRequest question = LATCHKEY__V1__VALIDATE_REQUEST__INIT, *questions[800];
    Latchkey__V1__ValidateBatchRequest request = LATCHKEY__V1__VALIDATE_BATCH_REQUEST__INIT;
    struct grpc_client_options options = {.service_config = "{}"};
    struct grpc_client *client;
    struct arena arena;
    question.token = scene.secret.text;
    question.channel = LATCHKEY__V1__CHANNEL__CHANNEL_API;
    for (size_t i = 0; i < ARRAY_LENGTH(questions); i++)
        questions[i] = &question;
    request.requests = questions;
    const struct grpc_client_call call = {
        .path = methods[1].path, .request = &request.base, .response = methods[1].response};
    char error[256];
    arena_init(&arena, 0);
    assert_int_equal(grpc_client_new(scene.target, &options, &client, error, sizeof(error)), STATUS_OK);
    for (int i = 0; i < 3; i++) { // what the first has held is given back
        struct fault fault;
        ProtobufCMessage *response;
        fault_init(&fault, &arena);
        request.n_requests = i == 1 ? ARRAY_LENGTH(questions) : 100;
        enum status status = grpc_client_call(client, &call, &arena, &response, &fault);
        assert_int_equal(status, i == 1 ? STATUS_UNAVAILABLE : STATUS_OK);
        if (i == 1)
            assert_string_equal(fault.reason, "OVERLOADED");
    }
    grpc_client_free(client);
    arena_fini(&arena);
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_question_is_answered_with_all_that_is_known),
        CASE(a_refusal_is_an_answer_with_a_reason_and_a_revision_alone),
        CASE(every_bad_field_is_named_at_once),
        CASE(nothing_is_decided_without_a_lease),
        CASE(nothing_is_decided_without_an_image),
        CASE(what_is_applied_or_older_than_the_log_is_reached),
        CASE(another_mark_at_its_place_is_of_another_history),
        CASE(a_parked_call_is_answered_when_its_revision_is_applied),
        CASE(a_parked_call_learns_that_its_mark_is_foreign),
        CASE(above_a_head_that_was_read_after_the_call_came_is_of_another_history),
        CASE(below_a_head_it_waits_on_whatever_the_round),
        CASE(a_revision_that_does_not_come_is_not_reached),
        CASE(the_reason_is_heard_before_the_calls_own_deadline),
        CASE(a_lease_that_is_lost_meanwhile_is_told_in_place_of_an_answer),
        CASE(one_call_more_than_may_wait_is_turned_away),
        CASE(a_loop_that_ends_leaves_no_call_parked),
        CASE(a_batch_whose_answers_take_more_memory_than_there_is_is_turned_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
