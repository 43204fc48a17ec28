// A management method. The frame around its handler is the same for every method (managed_call.c):
// authenticate the caller and authorize it for the method, begin the transaction for the company, run the
// handler, write what it noted for the audit log, commit and learn the revision, wake the validators, wait
// for them if asked, answer.
//
// Fields that the conventions of the contract share are found by name in the messages: `request_id` and
// `wait_for_validators` in a request, `revision`, `validators`, `secret` and `secret_withheld` in a response.
#ifndef LATCHKEY_COMMON_APP_METHOD_H
#define LATCHKEY_COMMON_APP_METHOD_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "common/app/call.h"
#include "common/base/status.h"

enum app_method_kind {
    APP_READ,     // a read-only transaction
    APP_MUTATION, // a read-write transaction with a revision
    // Open to everybody: nobody is asked who he is, call->caller is NULL and request_id is not looked at.
    APP_OPEN_READ,
    APP_OPEN_MUTATION,
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

// What stands before a service's open methods: looks at a call on the loop, by what is in memory and without
// blocking, before it costs a worker, a connection and a transaction. Of `call` there are the address, the
// time and the fault, which anything but OK fills and is the answer.
typedef enum status app_screen(struct app_call *call);

static inline bool app_method_is_mutation(const struct app_method *method) {
    return method->kind == APP_MUTATION || method->kind == APP_OPEN_MUTATION;
}

static inline bool app_method_is_open(const struct app_method *method) {
    return method->kind == APP_OPEN_READ || method->kind == APP_OPEN_MUTATION;
}

#endif
