// The methods of the servers, for the console as a program of its own: each call goes on to the server that
// has it. They are there for calls from inside of the process alone (console_call.h, console_rpc.h), so
// nobody but the console's pages is passed on, and nobody by this program's gRPC port.
//
// Whoever is behind a call is told by two fields that this side fills in itself: x-forwarded-for, with the
// address that --trusted-proxies says is the browser's, and latchkey-client-ip with the same. A server that
// does not believe the first refuses the call for the second (client_address.h): nobody is let in, or taken
// for local, because this program's own address would be.
#ifndef LATCHKEY_SERVICES_CONSOLE_CONSOLE_RELAY_RPC_H
#define LATCHKEY_SERVICES_CONSOLE_CONSOLE_RELAY_RPC_H

#include "common/app/app.h"

extern const struct app_service console_relay_service;

#endif
