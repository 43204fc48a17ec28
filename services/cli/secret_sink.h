// Where a new secret goes: to the terminal, into a new file, or, where that is asked for, into a pipe. The
// place is there before the secret is made, and goes again if none was.
#ifndef LATCHKEY_SERVICES_CLI_SECRET_SINK_H
#define LATCHKEY_SERVICES_CLI_SECRET_SINK_H

#include <protobuf-c/protobuf-c.h>

#include "common/base/compiler.h"
#include "services/cli/calls.h"
#include "services/cli/cli.h"

struct secret_sink {
    const char *path; // NULL = standard output
    int fd;
};

// What is said where no secret came, and where it came and is lost.
struct secret_sink_words {
    const char *withheld; // what to do on a repeated request: "rotate the token once more"
    const char *remedy;   // what to do about a secret that could not be written
    void (*print)(struct cli *cli, const ProtobufCMessage *response); // the object, without the secret
};

// Makes the call, whose answer has `secret` and `secret_withheld`, and puts the secret where --secret-file
// says: a new file of mode 0600, or "-" for standard output, whatever that is. Without it the secret is shown
// on a terminal, and elsewhere nothing is called. The code of the run.
MUST_CHECK enum exit_code secret_sink_call(struct cli *cli, enum rpc_id id, const ProtobufCMessage *request,
                                           const struct secret_sink_words *words);

#endif
