// A management method and the call of it: who asks, in which transaction, at what time. The frame around the
// handler, the same for every method (call.c): authenticate the caller and authorize it for the method, begin
// the transaction for the company, run the handler, commit and learn the revision, wake the validators, wait
// for them if asked, answer.
//
// Fields that the conventions of the contract share are found by name in the messages: `request_id` and
// `wait_for_validators` in a request, `revision`, `validators`, `secret` and `secret_withheld` in a response.
#ifndef LATCHKEY_COMMON_APP_METHOD_H
#define LATCHKEY_COMMON_APP_METHOD_H

#include <protobuf-c/protobuf-c.h>
#include <stdint.h>

#include "common/app/caller.h"
#include "common/base/arena.h"
#include "common/base/fault.h"
#include "common/db/transaction.h"

struct app;

enum app_method_kind {
    APP_READ,     // a read-only transaction
    APP_MUTATION, // a read-write transaction with a revision
};

// What a handler works with; it lives in the call's arena.
struct app_call {
    struct app *app;
    struct arena *arena;
    struct fault *fault; // a handler that fails fills it, or leaves it empty for the status alone
    struct db_transaction *transaction;
    const struct caller *caller;
    uint8_t lane;      // where the change stands in the log: the caller's, unless the handler sets another
    int64_t now_ms;    // the database's time of this transaction, UTC
    uint64_t timer_ns; // monotonic, when the request was read
};

struct app_method {
    const char *path;
    const ProtobufCMessageDescriptor *request, *response;
    enum app_method_kind kind;
    const char *permission; // NULL = whoever is authenticated
    // Runs on a worker, inside the transaction; may be run again after a serialization failure, so it keeps
    // nothing outside of the call. On OK `*ret_response` is set; on anything else the transaction is rolled
    // back.
    enum status (*handle)(struct app_call *call, const ProtobufCMessage *request,
                          ProtobufCMessage **ret_response);
};

#endif
