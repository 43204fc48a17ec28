// The browser behind a request: from which address it comes, as far as the trusted proxies say.
#ifndef LATCHKEY_SERVICES_CONSOLE_CONSOLE_CLIENT_H
#define LATCHKEY_SERVICES_CONSOLE_CONSOLE_CLIENT_H

#include "common/app/http_route.h"
#include "common/ip/address.h"
#include "common/ip/ip_set.h"

// Before the door opens. Borrows; NULL trusts nobody.
void console_client_start(const struct ip_set *trusted_proxies);

// Family 0, and "", where it can't be told.
struct ip_address console_client_find_address(const struct http_request *request);
void console_client_format_address(const struct http_request *request,
                                   char ret_text[IP_ADDRESS_TEXT_MAX + 1]);

#endif
