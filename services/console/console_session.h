// Who is signed in, and how one is no more. The session is the login token alone, in a cookie
// (docs/decisions/0045).
//
//     GET  /session        whether somebody is signed in, how it is done, and from which address they come
//     POST /session/end    signs out, unless it is somebody else who is signed in by now (console_rpc.h)
#ifndef LATCHKEY_SERVICES_CONSOLE_CONSOLE_SESSION_H
#define LATCHKEY_SERVICES_CONSOLE_CONSOLE_SESSION_H

#include "common/app/http_route.h"

// Of the routes: http_route.h.
bool console_session_ask_who(const struct http_request *request, struct local_request *call,
                             struct http_answer *answer);
void console_session_tell_who(const struct http_request *request, const struct local_response *response,
                              struct http_answer *answer);
void console_session_end(const struct http_request *request, struct http_answer *answer);

#endif
