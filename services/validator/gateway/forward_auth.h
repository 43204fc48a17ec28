// /check: a proxy in front of somebody's service asks about each request that it has (nginx's auth_request,
// forward-auth of Traefik and Caddy) and goes by the status: 200 with who it is in latchkey-* fields, 401 and
// 403 with WWW-Authenticate, 503 with Retry-After where nothing could be decided.
//
//   token             x-access-token, or authorization: Bearer, or the cookie that a setting names
//   address           the right-most one in x-forwarded-for that is no trusted proxy's
//   domain            origin, else x-forwarded-host
//   channel           ?channel=api (the default) or ui
//   permissions       ?permission=, all that are given; ?any_permission=, one of them
//
// What is needed stands in the proxy's configuration, as the query of the address that it asks: a parameter
// that is not known is refused, lest a misspelt one should protect nothing. The method and path of the
// original request decide nothing, so nobody gains by inventing them.
//
// Who may ask is Validate's rule. A proxy that is not on this machine says who it is in the field
// latchkey-authorization, because authorization is its client's.
#ifndef LATCHKEY_SERVICES_VALIDATOR_GATEWAY_FORWARD_AUTH_H
#define LATCHKEY_SERVICES_VALIDATOR_GATEWAY_FORWARD_AUTH_H

#include "common/app/http_route.h"
#include "common/ip/ip_set.h"

// Filled before the door opens.
struct forward_auth {
    const struct ip_set *trusted_proxies; // NULL = none
    const char *cookie;                   // NULL or "" = tokens are in no cookie
};

// `context` of the route is a struct forward_auth.
bool forward_auth_ask(const struct http_request *request, struct local_request *call,
                      struct http_answer *answer);
void forward_auth_tell(const struct http_request *request, const struct local_response *response,
                       struct http_answer *answer);

#endif
