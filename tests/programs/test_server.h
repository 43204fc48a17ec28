// What the servers of the tests share: one loop group, one server on one address, a line that says where, and
// an end at SIGTERM.
#ifndef LATCHKEY_TESTS_PROGRAMS_TEST_SERVER_H
#define LATCHKEY_TESTS_PROGRAMS_TEST_SERVER_H

#include "common/grpc/server.h"

struct test_server {
    struct grpc_server_options options; // settings, TLS and loops are filled in
    // Called once it serves. NULL = "listening ADDRESS" is printed.
    void (*on_listening)(const struct test_server *server, const struct listener *listener);
};

// Serves until SIGTERM or SIGINT, with the settings that argv names and `--listen` (default 127.0.0.1:0) and
// `--loops` (default 1). At SIGUSR1 it prints a line "counters NAME=NUMBER ...": the calls refused and, by
// reason, the connections closed. Returns what main() returns.
int test_server_run(struct test_server *server, int argc, char **argv);

#endif
