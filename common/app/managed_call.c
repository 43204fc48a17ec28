// One managed call on its way through the process (method.h tells what is done for it, this file when and
// where):
//
//   ARRIVED ---- no secret, screened out, or the queue is full ---------> finished on the loop
//      | queued
//   QUEUED ----- the client is gone or the deadline over ---------------> DONE
//      | a worker takes it
//   RUNNING ---- failed, only read, or nobody waits for validators -----> DONE
//      | committed, with wait_for_validators
//   WAITING ---- all have confirmed, or the wait is over ---------------> DONE --- on the loop ---> finished
//
// Each step hands the call to exactly one other thread, and only who has it touches it. The exceptions, for
// the loop's on_cancel, are `cancellation`, which has a lock of its own, and the transport's cancelled flag.
#include <string.h>

#include "common/app/audit.h"
#include "common/app/bearer.h"
#include "common/app/caller.h"
#include "common/app/caller_claim.h"
#include "common/app/client_address.h"
#include "common/app/deployment.h"
#include "common/app/dispatch.h"
#include "common/app/replay.h"
#include "common/app/trace_context.h"
#include "common/base/log.h"
#include "common/base/time_text.h"
#include "common/base/typeid.h"
#include "common/crypto/secret.h"
#include "common/db/cancel.h"
#include "common/grpc/call.h"
#include "common/protobuf/field.h"

enum { LOG_CONTEXT_FIELDS = 3, ATTEMPTS_MAX = 5, RETRY_AFTER_MS = 100, NS_PER_SECOND = 1000000000 };

struct managed_call {
    const struct dispatch *dispatch;
    const struct app_method *method;
    app_screen *screen; // NULL = none
    struct grpc_call *transport;
    const ProtobufCMessage *request;
    struct caller_credentials credentials;
    bool came_too_late; // refused as expired: maybe a secret that a rotation has replaced
    struct trace_context trace;
    struct replay replay;
    char request_id[UUID_TEXT_LENGTH + 1]; // "" = none
    int64_t wait_ms;                       // for validators; 0 = not at all
    struct db_cancellation cancellation;
    uint64_t deadline_ns;
    uint64_t started_ns;

    struct app_call call;       // what the handler sees
    ProtobufCMessage *response; // NULL until it is made
    struct revision revision;   // of the commit

    struct worker_job job;           // QUEUED
    struct validators_waiter waiter; // WAITING
    struct loop_task done;           // DONE
};

enum { FIND_HEAD, READ_TIME, SETTLE };

static const struct db_statement statements[] = {
    [FIND_HEAD] = {"managed_call_find_head", "SELECT head, mark FROM latchkey.change_lane WHERE lane = $1"},
    [READ_TIME] = {"managed_call_read_time", "SELECT clock_timestamp()"},
    [SETTLE] = {"managed_call_settle", "SELECT pg_logical_emit_message(true, 'latchkey', '')"
                                       " WHERE pg_current_xact_id_if_assigned() IS NULL"},
};

// What each line of the log says of it: the call's own, and those that are written while a worker has it.
static void enter_log(const struct managed_call *managed, struct log_field fields[LOG_CONTEXT_FIELDS]) {
    fields[0] = LOG_TEXT("request_id", managed->request_id);
    fields[1] = LOG_TEXT("trace_id", managed->trace.trace_id);
    fields[2] = LOG_TEXT("span_id", managed->trace.span_id);
    log_set_context(fields, LOG_CONTEXT_FIELDS);
}

static void leave_log(void) {
    log_set_context(NULL, 0);
}

// ---- DONE: back on the loop ----

// Only a mutation's line is worth keeping for every call; refusals and failures are told of any.
static void log_call(const struct managed_call *managed) {
    const struct fault *fault = managed->call.fault;
    const struct caller *caller = managed->call.caller;
    bool is_failed = fault->status != STATUS_OK;
    enum log_level level =
        is_failed || app_method_is_mutation(managed->method) ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;
    if (!log_is_enabled(level))
        return;
    char address[IP_ADDRESS_TEXT_MAX + 1];
    ip_address_format(&managed->credentials.address, address);
    uint64_t took_ns = clock_get_monotonic_ns(managed->dispatch->clock) - managed->started_ns;
    struct log_field context[LOG_CONTEXT_FIELDS];
    enter_log(managed, context);
    log_event(level, "call", LOG_TEXT("method", managed->method->path),
              LOG_TEXT("status", status_get_name(fault->status)),
              LOG_TEXT("reason", is_failed ? fault->reason : NULL),
              LOG_TEXT("company", caller ? typeid_of(TYPEID_COMPANY, caller->company_id).text : NULL),
              LOG_TEXT("token", caller ? typeid_of(TYPEID_TOKEN, caller->token_id).text : NULL),
              LOG_TEXT("address", address), LOG_INTEGER("took_us", took_ns / 1000));
    leave_log();
}

static void wipe_secret(const struct managed_call *managed) {
    const char *secret = managed->response ? field_get_text(managed->response, "secret") : "";
    if (*secret)
        secret_wipe((char *)secret, strlen(secret));
}

static void release_deployment(struct managed_call *managed) {
    deployment_release(managed->call.deployment);
    managed->call.deployment = NULL;
}

// A call is a use of its caller's token, like one that a validator admits, or refuses as expired.
static void note_use(const struct managed_call *managed, struct loop *loop) {
    const struct dispatch *dispatch = managed->dispatch;
    const struct caller *caller = managed->call.caller;
    if (!caller && !managed->came_too_late)
        return;
    const struct use use = {.digest = managed->credentials.digest,
                            .at_ms = caller ? caller->now_ms : clock_get_realtime_ms(dispatch->clock),
                            .address = managed->credentials.address,
                            .kind = caller ? USE_ADMITTED : USE_TOO_LATE,
                            .by = USE_BY_SERVER};
    use_log_note(use_log_get_loop(dispatch->uses, loop_get_index(loop)), &use);
}

static void on_done(struct loop_task *task) {
    struct managed_call *managed = CONTAINER_OF(task, struct managed_call, done);
    struct loop *loop = grpc_call_get_loop(managed->transport);
    log_call(managed);
    note_use(managed, loop);
    enum status status = managed->call.fault->status;
    if (status == STATUS_OK) {
        status = grpc_call_send(managed->transport, managed->response);
        wipe_secret(managed);
        if (status != STATUS_OK)
            fault_set(managed->call.fault, STATUS_UNAVAILABLE, "OUTCOME_UNKNOWN",
                      "the answer could not be sent");
    }
    release_deployment(managed);
    grpc_call_finish(managed->transport, managed->call.fault); // `managed` is gone
    loop_release(loop);
}

static void finish_on_loop(struct managed_call *managed) {
    managed->done.run = on_done;
    loop_post(grpc_call_get_loop(managed->transport), &managed->done);
}

// ---- WAITING: for the validators ----

static enum status fill_validators(struct managed_call *managed, const struct validators_answer *answer) {
    ProtobufCMessage *validators;
    enum status status = field_set_message(managed->call.arena, managed->response, "validators", &validators);
    if (status != STATUS_OK)
        return status;
    if ((status = field_set_integer(validators, "live", answer->live)) != STATUS_OK ||
        (status = field_set_integer(validators, "confirmed", answer->confirmed)) != STATUS_OK ||
        (status = field_set_integer(validators, "all_confirmed", answer->all_confirmed)) != STATUS_OK)
        return status;
    return field_set_texts(managed->call.arena, validators, "lagging", (const char *const *)answer->lagging,
                           answer->lagging_count);
}

// The change is committed: whatever goes wrong from here on is told, but it is no failure of the change.
static void on_validators_answer(struct validators_waiter *waiter) {
    struct managed_call *managed = CONTAINER_OF(waiter, struct managed_call, waiter);
    enum status status = fill_validators(managed, &waiter->answer);
    if (status != STATUS_OK)
        log_event(LOG_LEVEL_ERROR, "an answer lacks its validators",
                  LOG_TEXT("status", status_get_text(status)));
    finish_on_loop(managed);
}

// True when the call waits from here on and belongs to the validators' thread.
static bool wait_for_validators(struct managed_call *managed) {
    const struct dispatch *dispatch = managed->dispatch;
    if (managed->wait_ms == 0)
        return false;

    // Half a second before the deadline: "not yet confirmed" must still reach the caller.
    uint64_t until_ns = clock_get_monotonic_ns(dispatch->clock) + (uint64_t)managed->wait_ms * 1000000;
    uint64_t latest_ns = managed->deadline_ns - UINT64_C(500000000);
    managed->waiter = (struct validators_waiter){.revision = managed->revision,
                                                 .until_ns = until_ns < latest_ns ? until_ns : latest_ns,
                                                 .arena = managed->call.arena,
                                                 .on_answer = on_validators_answer};
    validators_wait(dispatch->validators, &managed->waiter);
    return true;
}

// ---- RUNNING: the transaction, on a worker ----

// An answer to anybody may have no revision.
static enum status fill_revision(struct managed_call *managed) {
    if (!field_exists(managed->response->descriptor, "revision"))
        return STATUS_OK;
    char text[REVISION_TEXT_LENGTH + 1];
    revision_format(managed->revision, text);
    return field_set_text(managed->call.arena, managed->response, "revision", text);
}

// Nothing changed, or the answer is a replay: the present head of the lane has seen it all.
static enum status read_head(struct managed_call *managed, struct db_connection *connection, uint8_t lane) {
    struct db_begin_options options = {.arena = managed->call.arena, .deadline_ns = managed->deadline_ns};
    struct db_params params;
    db_params_init(&params, managed->call.arena);
    db_params_add_int16(&params, lane);
    struct db_command command = {&statements[FIND_HEAD], &params, NULL};
    enum status status = db_execute(connection, &options, &command, 1);
    if (status != STATUS_OK)
        return status;
    managed->revision = (struct revision){lane, db_result_get_int64(command.result, 0, 0),
                                          db_result_get_int64(command.result, 0, 1)};
    return STATUS_OK;
}

// The change of the call's lane; a method that changes the deployment alone has only the other one.
static struct revision choose_revision(const struct db_revision *revisions, size_t count, uint8_t lane) {
    size_t chosen = 0;
    for (size_t i = 0; i < count; i++)
        if (revisions[i].lane == lane)
            chosen = i;
    return (struct revision){(uint8_t)revisions[chosen].lane, revisions[chosen].seq, revisions[chosen].mark};
}

static enum status commit(struct managed_call *managed, const struct db_revision **ret_revisions,
                          size_t *ret_count) {
    struct app_call *call = &managed->call;
    enum status status = audit_flush(call);
    if (status == STATUS_OK)
        status = db_commit_with_revisions(call->transaction, ret_revisions, ret_count);
    else
        db_rollback(call->transaction);
    call->transaction = NULL;
    if (status == STATUS_OK && *ret_count > 0)
        validators_wake(managed->dispatch->validators);
    return status;
}

// why SETTLE: what a change finds done already, a replay above all, may have been committed by somebody whose
// wait for the standby was cut short: seen by all, and lost with this host. PostgreSQL has the COMMIT of a
// transaction wait for the standby only where it has written something, so one that has not writes an empty
// message, and with it all that it has seen is there.
static enum status commit_mutation(struct managed_call *managed, struct db_connection *connection) {
    const struct db_revision *revisions;
    size_t count;
    uint8_t lane = managed->call.lane;
    db_add_last(managed->call.transaction, &statements[SETTLE], NULL);
    enum status status = commit(managed, &revisions, &count);
    if (status != STATUS_OK)
        return db_fault(managed->call.fault, status);
    if (count > 0)
        managed->revision = choose_revision(revisions, count, lane);
    else
        status = read_head(managed, connection, lane);
    if (status == STATUS_OK)
        status = fill_revision(managed);
    // Whatever failed since the commit, the change is made; no other word may say that nothing was.
    return status == STATUS_OK ? status : db_fault(managed->call.fault, STATUS_OUTCOME_UNKNOWN);
}

// Returns the refusal, unless its trace could not be kept: then it may be asked again.
static enum status commit_refusal(struct managed_call *managed, enum status refusal) {
    struct app_call *call = &managed->call;
    const struct db_revision *revisions;
    size_t count;
    enum status status = STATUS_OK;
    if (managed->replay.is_wanted)
        status = replay_release(call, managed->method, &managed->replay);
    if (status == STATUS_OK)
        status = commit(managed, &revisions, &count);
    if (status == STATUS_OK)
        return refusal;
    db_rollback(call->transaction);
    call->transaction = NULL;
    fault_init(call->fault, call->arena);
    return db_fault(call->fault, status);
}

// Bad input is refused, not bent: whoever asks for more than there is must not take a shorter wait for it.
static int64_t read_wait_ms(const struct managed_call *managed) {
    const char *name = "wait_for_validators";
    const ProtobufCMessage *wait = field_find_message(managed->request, name);
    if (!wait)
        return 0;
    const int64_t seconds = field_get_integer(wait, "seconds"), nanos = field_get_integer(wait, "nanos");
    const int64_t wait_ms = field_get_duration_ms(managed->request, name);
    const int64_t max_ms = managed->dispatch->wait_for_validators_max_ms;
    if (seconds >= 0 && nanos >= 0 && nanos < NS_PER_SECOND && wait_ms <= max_ms)
        return wait_ms;
    char span[TIME_TEXT_SPAN_MAX + 1];
    time_text_format_span(max_ms, span);
    fault_add_field(managed->call.fault, name, "type a duration from 0 to %s, such as 10s, or leave it unset",
                    span);
    return 0;
}

// What every mutation has. A bad field here does not keep the handler from naming its own: all at once.
static void read_common_fields(struct managed_call *managed) {
    struct fault *fault = managed->call.fault;
    managed->replay = replay_parse(managed->request, fault);
    managed->wait_ms = read_wait_ms(managed);
}

static enum status run_handler(struct managed_call *managed) {
    struct app_call *call = &managed->call;
    const struct app_method *method = managed->method;
    managed->response = NULL;
    enum status status = STATUS_OK;
    read_common_fields(managed);
    if (app_method_is_open(managed->method))
        managed->replay.is_wanted = false;
    call->request_id = managed->replay.request_id;
    if (!uuid_is_zero(call->request_id))
        uuid_format(call->request_id, managed->request_id);
    if (managed->replay.is_wanted)
        status = replay_begin(call, method, &managed->replay, managed->request, &managed->response);
    if (status != STATUS_OK || managed->response)
        return status;
    status = method->handle(call, managed->request, &managed->response);
    if (status == STATUS_OK &&
        call->fault->status != STATUS_OK) // a bad field that the handler has not noticed
        status = call->fault->status;
    if (status == STATUS_OK && managed->replay.is_wanted)
        status = replay_keep(call, method, &managed->replay, managed->response);
    return status;
}

static enum status recognise_caller(struct managed_call *managed) {
    struct app_call *call = &managed->call;
    struct caller *caller;
    struct caller_question question = {.transaction = call->transaction,
                                       .deployments = managed->dispatch->deployments,
                                       .credentials = &managed->credentials,
                                       .permission = managed->method->permission,
                                       .arena = call->arena,
                                       .fault = call->fault};
    enum status status = caller_authenticate(&question, &call->deployment, &caller);
    if (status != STATUS_OK) {
        managed->came_too_late =
            call->fault->reason && strcmp(call->fault->reason, reason_get_name(REASON_EXPIRED)) == 0;
        return status;
    }
    call->caller = caller;
    call->company_id = caller->company_id;
    call->lane = caller->lane;
    call->now_ms = caller->now_ms;
    return STATUS_OK;
}

static enum status read_time(struct app_call *call) {
    const struct db_result *row;
    enum status status = db_query(call->transaction, &statements[READ_TIME], NULL, &row);
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    call->now_ms = db_result_get_time_ms(row, 0, 0);
    return STATUS_OK;
}

static enum status run_transaction(struct managed_call *managed, struct db_connection *connection) {
    struct app_call *call = &managed->call;
    bool is_mutation = app_method_is_mutation(managed->method);
    struct db_begin_options options = {.arena = call->arena,
                                       .deadline_ns = managed->deadline_ns,
                                       .cancellation = &managed->cancellation,
                                       .access = is_mutation ? DB_READ_WRITE : DB_READ_ONLY};
    enum status status = db_begin(connection, &options, &call->transaction);
    if (status != STATUS_OK)
        return status;

    status = app_method_is_open(managed->method) ? read_time(call) : recognise_caller(managed);
    if (status == STATUS_OK)
        status = run_handler(managed);
    if (status != STATUS_OK && call->keeps_refusal)
        return commit_refusal(managed, status);
    if (status != STATUS_OK) {
        db_rollback(call->transaction);
        call->transaction = NULL;
        return status;
    }
    if (is_mutation)
        return commit_mutation(managed, connection);
    status = db_commit(call->transaction);
    call->transaction = NULL;
    return status;
}

// Whatever failed without words gets the words of its status.
static void complete_fault(struct fault *fault, enum status status) {
    if (status == STATUS_OK || fault->status != STATUS_OK)
        return;
    (void)db_fault(fault, status);
    if (fault->status == STATUS_OK)
        fault_set(fault, status, status_get_name(status), "%s", status_get_text(status));
}

// A transaction that collided with another one is run again: nothing of it has happened.
static void run_attempts(struct managed_call *managed, struct db_connection *connection) {
    enum status status = STATUS_ABORTED;
    for (int attempt = 0; attempt < ATTEMPTS_MAX && status == STATUS_ABORTED; attempt++) {
        fault_init(managed->call.fault, managed->call.arena);
        release_deployment(managed);
        managed->call.caller = NULL;
        managed->call.notes = NULL;
        managed->call.keeps_refusal = false;
        status = run_transaction(managed, connection);
        if (managed->call.fault->status == STATUS_ABORTED) // the handler's own answer: an etag that is stale
            break;
    }
    complete_fault(managed->call.fault, status);
}

static void run(struct managed_call *managed) {
    const struct dispatch *dispatch = managed->dispatch;
    struct fault *fault = managed->call.fault;
    uint64_t now_ns = clock_get_monotonic_ns(dispatch->clock);
    uint64_t lease_until_ns = now_ns + (uint64_t)dispatch->database_lease_wait_ms * 1000000;
    struct db_connection *connection;

    if (grpc_call_is_cancelled(managed->transport)) {
        fault_set(fault, STATUS_CANCELLED, "CANCELLED", "%s", status_get_text(STATUS_CANCELLED));
    } else if (now_ns >= managed->deadline_ns) {
        fault_set(fault, STATUS_DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED",
                  "the deadline passed before the call was begun");
    } else if (db_pool_lease(dispatch->database,
                             lease_until_ns < managed->deadline_ns ? lease_until_ns : managed->deadline_ns,
                             fault, &connection) == STATUS_OK) {
        run_attempts(managed, connection);
        db_pool_return(dispatch->database, connection);
    }
}

static void run_on_worker(struct worker_job *job) {
    struct managed_call *managed = CONTAINER_OF(job, struct managed_call, job);
    struct log_field context[LOG_CONTEXT_FIELDS];
    enter_log(managed, context);
    run(managed);
    leave_log();
    bool is_waiting = managed->call.fault->status == STATUS_OK && app_method_is_mutation(managed->method) &&
                      wait_for_validators(managed);
    if (!is_waiting)
        finish_on_loop(managed);
}

// ---- ARRIVED: on the loop ----

static struct managed_call *new_managed_call(struct grpc_call *transport, const ProtobufCMessage *request) {
    const struct dispatch_binding *binding = grpc_call_get_method(transport)->context;
    struct arena *arena = grpc_call_get_arena(transport);
    struct managed_call *managed = ARENA_NEW(arena, struct managed_call);
    if (!managed)
        return NULL;
    managed->dispatch = binding->dispatch;
    managed->method = binding->method;
    managed->screen = binding->screen;
    managed->transport = transport;
    managed->request = request;
    managed->deadline_ns = grpc_call_get_deadline_ns(transport);
    managed->started_ns = loop_get_monotonic_ns(grpc_call_get_loop(transport));
    managed->call = (struct app_call){.app = binding->dispatch->app,
                                      .arena = arena,
                                      .fault = grpc_call_get_fault(transport),
                                      .timer_ns = managed->started_ns,
                                      .deadline_ns = managed->deadline_ns};
    return managed;
}

static enum status queue(struct managed_call *managed) {
    struct grpc_call *transport = managed->transport;
    struct loop *loop = grpc_call_get_loop(transport);
    grpc_call_set_data(transport, managed);
    managed->job.run = run_on_worker;
    managed->job.deadline_ns = managed->deadline_ns;
    loop_hold(loop);
    if (worker_pool_submit(managed->dispatch->workers, &managed->job) == STATUS_OK)
        return STATUS_OK;
    loop_release(loop);
    fault_set(managed->call.fault, STATUS_UNAVAILABLE, "OVERLOADED",
              "too many calls wait already; try again later");
    fault_set_retry_after_ms(managed->call.fault, RETRY_AFTER_MS);
    return STATUS_UNAVAILABLE;
}

// Of credentials the shape alone: what is malformed is refused before any look-up. Companies of one lane wait
// for each other's commits, so the lane that a secret names is its call's share of the workers, and needs no
// proof.
static enum status screen(struct managed_call *managed) {
    struct fault *fault = managed->call.fault;
    struct caller_credentials *credentials = &managed->credentials;
    managed->job.share = LANE_DEPLOYMENT;
    if (app_method_is_open(managed->method))
        return managed->screen(&managed->call);
    enum status status = bearer_check(bearer_find_secret(managed->transport), &managed->dispatch->shape,
                                      fault, &credentials->digest, &managed->job.share);
    if (status != STATUS_OK)
        return status;
    credentials->claim = caller_claim_find(managed->transport);
    return bearer_find_company(managed->transport, fault, &credentials->company);
}

static void on_message(struct grpc_call *transport, const ProtobufCMessage *request) {
    struct fault *fault = grpc_call_get_fault(transport);
    struct managed_call *managed = new_managed_call(transport, request);
    if (!managed) {
        fault_set(fault, STATUS_EXHAUSTED, "NO_MEMORY", "%s", status_get_text(STATUS_NO_MEMORY));
        grpc_call_finish(transport, fault);
        return;
    }
    managed->credentials.address = client_address_find_of_call(managed->dispatch->trusted_proxies, transport);
    managed->call.address = managed->credentials.address;
    managed->trace = trace_context_of_call(transport);
    managed->call.user_agent = grpc_call_find_metadata(transport, "user-agent");
    if (client_address_check(managed->dispatch->trusted_proxies, transport, fault) != STATUS_OK ||
        screen(managed) != STATUS_OK || queue(managed) != STATUS_OK) {
        log_call(managed);
        grpc_call_finish(transport, fault);
    }
}

// Stops it, unless its COMMIT is on the way: then nobody knows.
static bool on_deadline(struct grpc_call *transport) {
    struct managed_call *managed = grpc_call_get_data(transport);
    return db_cancel(&managed->cancellation);
}

// The worker notices, or its running statement is cancelled; either way it brings the call back.
static void on_cancel(struct grpc_call *transport) {
    struct managed_call *managed = grpc_call_get_data(transport);
    (void)db_cancel(&managed->cancellation);
}

const struct grpc_handler managed_call_handler = {
    .on_message = on_message, .on_deadline = on_deadline, .on_cancel = on_cancel};
