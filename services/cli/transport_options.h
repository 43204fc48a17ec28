// How the servers are spoken to: with TLS or without, whom to trust, and what to show, from the common
// options and their variables.
#ifndef LATCHKEY_SERVICES_CLI_TRANSPORT_OPTIONS_H
#define LATCHKEY_SERVICES_CLI_TRANSPORT_OPTIONS_H

#include <stdbool.h>

#include "common/base/compiler.h"
#include "common/grpc_client/client.h"
#include "services/cli/cli.h"

struct transport_options {
    bool is_tls; // else only where the address says so
    bool allow_plaintext;
    struct grpc_client_tls tls; // texts of argv's and the environment's
};

// What --tls may be.
extern const char *const transport_tls_choices[];

// EXIT_CODE_DONE, or what cli_fail() said. `address` is the server's as it was typed.
MUST_CHECK enum exit_code transport_options_read(struct cli *cli, const char *address,
                                                 struct transport_options *ret_options);

#endif
