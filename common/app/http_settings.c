#include "common/app/http_settings.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "common/app/http_origin.h"
#include "common/net/listen_address.h"

struct http_settings http_settings;

bool http_settings_accept_address(const char *text, const char **ret_reason) {
    struct listen_address address;
    if (strcmp(text, "none") == 0)
        return true;
    if (!listen_address_parse(text, &address, ret_reason))
        return false;
    *ret_reason = "type ADDRESS:PORT, such as 127.0.0.1:7080, or none";
    return address.socket.ss_family != AF_UNIX;
}

#define OF(member) offsetof(struct http_settings, member)

const struct setting http_setting_table[] = {
    {.name = "http-listen",
     .type = SETTING_TEXT,
     .offset = OF(listen),
     .accept = http_settings_accept_address,
     .default_value = "none",
     .value_name = "ADDRESS:PORT",
     .help = "Where the same methods are served over HTTP/1.1 as JSON, for curl and browsers, and by a "
             "validator /introspect and /check for gateways. Without TLS. \"none\" switches it off."},
    {.name = "http-allow-origins",
     .type = SETTING_TEXT,
     .offset = OF(allow_origins),
     .accept = http_origin_accept,
     .default_value = "",
     .value_name = "ORIGIN,...",
     .help = "Web pages that may ask through their readers' browsers, as origins such as "
             "https://console.example.com; * for all. Empty: none may."},
    {.name = "http-max-connections",
     .type = SETTING_INTEGER,
     .offset = OF(max_connections),
     .default_value = "4096",
     .min = 1,
     .max = 100000,
     .help = "HTTP/1.1 connections at most; for one more, the one that has been idle for longest is closed."},
    {.name = "http-max-requests",
     .type = SETTING_INTEGER,
     .offset = OF(max_requests),
     .default_value = "1000",
     .min = 1,
     .max = 100000,
     .help = "HTTP/1.1 requests that are worked on at once; one more is answered 503."},
    {.name = "http-max-body",
     .type = SETTING_SIZE,
     .offset = OF(max_body_bytes),
     .default_value = "1MiB",
     .min = 1024,
     .max = 64 * 1024 * 1024,
     .help = "Largest body of an HTTP/1.1 request; a larger one is answered 413."},
    {.name = "http-idle-timeout",
     .type = SETTING_DURATION,
     .offset = OF(idle_timeout_ms),
     .default_value = "60s",
     .min = 100,
     .max = 3600000,
     .help =
         "How long an HTTP/1.1 connection may wait for its next request. Longer than what proxies in front "
         "keep theirs for."},
    {.name = "http-request-timeout",
     .type = SETTING_DURATION,
     .offset = OF(request_timeout_ms),
     .default_value = "10s",
     .min = 100,
     .max = 3600000,
     .help =
         "How long an HTTP/1.1 request may take to arrive, and its answer to be taken; then the connection "
         "is closed."},
};
const size_t http_setting_count = ARRAY_LENGTH(http_setting_table);
