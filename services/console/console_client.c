#include "services/console/console_client.h"

#include "common/app/client_address.h"

static const struct ip_set *trusted; // const once the door is open

void console_client_start(const struct ip_set *trusted_proxies) {
    trusted = trusted_proxies;
}

struct ip_address console_client_find_address(const struct http_request *request) {
    return client_address_find_in(trusted, &request->peer, &request->fields);
}

void console_client_format_address(const struct http_request *request,
                                   char ret_text[IP_ADDRESS_TEXT_MAX + 1]) {
    struct ip_address address = console_client_find_address(request);
    *ret_text = '\0';
    if (address.family != IP_FAMILY_NONE)
        ip_address_format(&address, ret_text);
}
