// Requests out of what was typed: which option is which field. How the value is read follows from the
// option's type and the field's:
//
//   TEXT, WORD      text
//   LIST            list of texts; with `prefix` the names of an enum
//   PAIRS           map of texts
//   CHOICE          enum, by `prefix`; or a bool, by the words yes and no
//   INTEGER, FLAG   number, true
//   TIME            Timestamp
//   DURATION        Duration; or a Timestamp, counted from now by this machine's clock
//
// An option that was given as its word for none leaves the field unset.
#ifndef LATCHKEY_SERVICES_CLI_REQUEST_H
#define LATCHKEY_SERVICES_CLI_REQUEST_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

#include "common/base/compiler.h"
#include "services/cli/cli.h"

struct request_field {
    const char *option;
    const char *field;  // "policy.require_expiry" is a field of the message in the field `policy`
    const char *prefix; // of the names of an enum, "TOKEN_STATE_"; NULL = none
};

#define REQUEST_FIELD(option_, field_) \
    { .option = (option_), .field = (field_) }
#define REQUEST_WORDS(option_, field_, prefix_) \
    { .option = (option_), .field = (field_), .prefix = (prefix_) }

// Fields whose option was not given stay as they are.
void request_set(struct cli *cli, ProtobufCMessage *message, const struct request_field *fields,
                 size_t count);

// The resource in the field `resource` of an update, with the fields that were typed, and the mask that names
// them, and what --etag said, where the command has it; `ret_resource` is where to put its id.
// EXIT_CODE_DONE, or what cli_fail() said: nothing was typed.
MUST_CHECK enum exit_code request_set_update(struct cli *cli, ProtobufCMessage *request, const char *resource,
                                             const struct request_field *fields, size_t count,
                                             ProtobufCMessage **ret_resource);

// The command's argument, where there is one, as a text field.
void request_set_argument(struct cli *cli, ProtobufCMessage *request, const char *field);

#endif
