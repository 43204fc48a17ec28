// The console's cookies: found among a request's header fields, set and taken back in an answer. Each is for
// this host alone, over TLS alone, out of reach of scripts, and sent with nothing that another site has
// caused, but for one.
#ifndef LATCHKEY_SERVICES_CONSOLE_CONSOLE_COOKIE_H
#define LATCHKEY_SERVICES_CONSOLE_CONSOLE_COOKIE_H

#include <stdint.h>

#include "common/app/http_route.h"

#define CONSOLE_COOKIE_SESSION "__Host-latchkey-session" // the secret of a login token
#define CONSOLE_COOKIE_BROWSER "__Host-latchkey-browser" // knows again who has asked for a link
#define CONSOLE_COOKIE_OPENID "__Host-latchkey-openid"   // and who has gone to the OpenID provider

// Its value, where it is made of letters, digits and '_' alone. Empty if it is not there, is another, or is
// there twice. Borrows from the fields.
struct bytes console_cookie_find(const struct metadata *fields, const char *name);

// `max_age_s` 0 takes it back.
void console_cookie_set(const struct http_request *request, struct http_answer *answer, const char *name,
                        struct bytes value, int64_t max_age_s);

// The same, but SameSite=Lax: a browser also sends it when another site leads it here by a GET, which is how
// it comes back from a provider.
void console_cookie_set_for_return(const struct http_request *request, struct http_answer *answer,
                                   const char *name, struct bytes value, int64_t max_age_s);

#endif
