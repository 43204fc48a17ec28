// Addresses of an OpenID provider, as the settings and its own discovery document name them.
#ifndef LATCHKEY_COMMON_OPENID_URL_H
#define LATCHKEY_COMMON_OPENID_URL_H

#include <stdbool.h>

#include "common/base/bytes.h"

#define OPENID_URL_MAX 1024

// https:// with a host, or http:// to this machine; no user, password or fragment, and nothing but printable
// ASCII.
bool openid_url_is_safe(const char *url);

// As an issuer is: besides, without a query.
bool openid_url_is_issuer(const char *url);

// HOST[:PORT] of one that is safe. Borrows.
struct bytes openid_url_get_host(const char *url);

#endif
