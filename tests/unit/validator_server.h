// A validator's methods over an image made by hand (validator_image.h): one loop of this process, nothing
// that listens, and uses that nobody writes down. Who connects to it, and who runs the loop, is the test's
// matter.
#ifndef LATCHKEY_TESTS_UNIT_VALIDATOR_SERVER_H
#define LATCHKEY_TESTS_UNIT_VALIDATOR_SERVER_H

#include "common/grpc/server.h"
#include "services/validator/decide/validate_service.h"
#include "tests/unit/validator_image.h"

struct validator_server {
    struct validator_image made; // the test's, made before and ended after
    struct validate_service service;
    struct validate_loop mine;
    struct loop_group *loops;
    struct use_log *uses;
    struct grpc_server *grpc;
};

struct validator_server_options {
    const struct grpc_method *methods; // borrows; their context is the server's `service`
    size_t method_count;
    unsigned use_capacity;
    size_t waits_max;                     // calls that may be parked; 0 = 1
    int64_t min_revision_wait_ms;         // for which they are
    void (*wake_follower)(void *context); // NULL = nobody is woken
    int64_t request_memory_bytes;         // 0 = the usual
    bool folds_reasons;
};

// Validate itself, for a table of methods.
#define VALIDATOR_SERVER_VALIDATE(server)                                                           \
    {                                                                                               \
        .path = "/latchkey.v1.ValidationService/Validate",                                          \
        .request = &latchkey__v1__validate_request__descriptor,                                     \
        .response = &latchkey__v1__validate_response__descriptor, .shape = GRPC_UNARY,              \
        .max_request_bytes = 64 * 1024, .handler = &validate_handler, .context = &(server)->service \
    }

// The loop does not run yet; before a call comes its thread has to enter it (validate_loop_enter()).
void validator_server_open(struct validator_server *server, const struct validator_server_options *options);

// The loop has been left. Stops it.
void validator_server_close(struct validator_server *server);

// A question about `secret` over the API from 203.0.113.7, framed; returns how long it is.
#define VALIDATOR_SERVER_QUESTION_MAX 256
size_t validator_server_write_question(uint8_t *to, const char *secret);

#endif
