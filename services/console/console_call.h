// Methods that the console itself asks, as JSON, within work of its door. The answer is read as far as the
// console goes by it.
#ifndef LATCHKEY_SERVICES_CONSOLE_CONSOLE_CALL_H
#define LATCHKEY_SERVICES_CONSOLE_CONSOLE_CALL_H

#include <jansson.h>
#include <stdbool.h>

#include "common/app/http_route.h"
#include "common/app/http_work.h"

// What the method answered. Empty, with a status of 503, where nothing did.
struct console_reply {
    unsigned status;    // HTTP's
    struct bytes body;  // JSON, in the arena
    const char *reason; // of the error, as the contract has it, in the arena; "" = there is none
    json_t *message;    // NULL = it is none, or an error
};
void console_reply_fini(struct console_reply *reply);

// As whoever is logged in, and from where they are. Takes `message`, NULL being none.
void console_call_as_person(const struct http_request *request, const char *method, json_t *message,
                            struct console_reply *ret_reply);

// By the token of --console-token-file, for a company ("" = its own).
void console_call_as_console(struct http_door *door, struct arena *arena, const char *method,
                             const char *company, json_t *message, struct console_reply *ret_reply);

// Says in the log if the file does not hold what may be a token. It may still come: who makes the token needs
// a server that runs.
void console_call_look_at_token(void);

#endif
