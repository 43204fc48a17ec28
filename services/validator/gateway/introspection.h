// /introspect: RFC 7662, for resource servers that know nothing of Latchkey (Spring Security and the like).
// A form with `token`; and, where the resource server can say more, `client_ip`, `channel` (api, the default,
// or ui), `domain`, `permission` and `any_permission` as often as needed, `min_revision`.
//
// `active` is Validate's ALLOW: whatever refuses, the token itself, its address or a permission, is `false`
// and never says why. Where nothing could be decided the answer is 503, not `false`.
//
// The resource server presents a token of its own, wherever it asks from: as the password of HTTP Basic (the
// user name is not looked at), as a bearer, or as `client_secret` in the form. It sees its own company's
// tokens, with `latchkey.validate.any` everybody's.
#ifndef LATCHKEY_SERVICES_VALIDATOR_GATEWAY_INTROSPECTION_H
#define LATCHKEY_SERVICES_VALIDATOR_GATEWAY_INTROSPECTION_H

#include "common/app/http_route.h"

bool introspection_ask(const struct http_request *request, struct local_request *call,
                       struct http_answer *answer);
void introspection_tell(const struct http_request *request, const struct local_response *response,
                        struct http_answer *answer);

#endif
