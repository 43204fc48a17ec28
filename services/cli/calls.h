// Calls to the servers: which address, whose token, for which company; and the request and its answer as
// messages.
#ifndef LATCHKEY_SERVICES_CLI_CALLS_H
#define LATCHKEY_SERVICES_CLI_CALLS_H

#include <protobuf-c/protobuf-c.h>
#include <stdint.h>

#include "common/base/compiler.h"
#include "services/cli/cli.h"
#include "services/cli/rpc.h"

#define CALLS_DEFAULT_ADDRESS "127.0.0.1:7070" // latchkeyd's
#define CALLS_PAGE_SIZE 1000                   // the most that servers give

// The variable that names the address of one of the servers.
const char *calls_get_address_variable(enum rpc_server server);

// Where the caller's token came from, or belongs where there is none; a sentence.
const char *calls_describe_token(struct cli *cli);

enum calls_caller {
    CALLS_WITH_TOKEN,      // fails without one, and says where it is looked for
    CALLS_WITH_ANY_CALLER, // sends the token if there is one
};

// An empty request; fields are set with the functions of common/protobuf/field.h under cli_must().
ProtobufCMessage *calls_new_request(struct cli *cli, enum rpc_id id);

// Sets `wait_for_validators` from --wait and `request_id` from --request-id, which the command's options
// have.
void calls_set_change_options(struct cli *cli, ProtobufCMessage *request);

// The first of the two alone.
void calls_set_wait(struct cli *cli, ProtobufCMessage *request);

// Reads the caller's token, if there is one, which calls_make() does by itself. EXIT_CODE_DONE or what
// cli_fail() said.
MUST_CHECK enum exit_code calls_begin(struct cli *cli);

// EXIT_CODE_DONE and the answer, or what cli_fail() said.
MUST_CHECK enum exit_code calls_make(struct cli *cli, enum rpc_id id, enum calls_caller caller,
                                     const ProtobufCMessage *request, const ProtobufCMessage **ret_response);

// A call after another that only adds to what is said: its failure is passed over. NULL if it failed, or if
// there is no token to make it with. calls_begin() or calls_make() has been used before.
const ProtobufCMessage *calls_try(struct cli *cli, enum rpc_id id, const ProtobufCMessage *request);

// The same with what went wrong in `ret_fault` in place of being said. Anything but a server's own answer (no
// token, no such address) is said all the same and leaves the fault empty.
MUST_CHECK enum exit_code calls_make_quietly(struct cli *cli, enum rpc_id id, enum calls_caller caller,
                                             const ProtobufCMessage *request,
                                             const ProtobufCMessage **ret_response, struct fault *ret_fault);

#define CALLS_UNLIMITED INT64_MAX

// Pages of a list, one after the other, of `limit` items together at most.
// EXIT_CODE_DONE or what cli_fail() said; pages before a failure have been handed out. `on_page` says how
// many items the page held.
typedef size_t calls_on_page(void *context, const ProtobufCMessage *page);
MUST_CHECK enum exit_code calls_make_pages(struct cli *cli, enum rpc_id id, ProtobufCMessage *request,
                                           int64_t limit, calls_on_page *on_page, void *context);

// Every page of a list, with each page's memory given back when the next one is there: for lists without end.
MUST_CHECK enum exit_code calls_stream_pages(struct cli *cli, enum rpc_id id, ProtobufCMessage *request,
                                             calls_on_page *on_page, void *context);

// How long the last call took, in milliseconds, from sending to the answer.
int64_t calls_get_last_ms(const struct cli *cli);

void calls_end(struct cli *cli); // closes connections and wipes the token

#endif
