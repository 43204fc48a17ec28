// The HTTP/1.1 door's settings. The table in http_settings.c is the documentation: --help prints it.
#ifndef LATCHKEY_COMMON_APP_HTTP_SETTINGS_H
#define LATCHKEY_COMMON_APP_HTTP_SETTINGS_H

#include <stdint.h>

#include "common/base/compiler.h"
#include "common/base/config.h"

struct http_settings {
    const char *listen; // http_site.h
    const char *allow_origins;
    int64_t max_connections;
    int64_t max_requests;
    int64_t max_body_bytes;
    int64_t idle_timeout_ms;
    int64_t request_timeout_ms;
};

// Read by app_main() before anything else runs; const from then on.
extern struct http_settings http_settings;

extern const struct setting http_setting_table[];
extern const size_t http_setting_count;

// Of a setting that is where a site listens: TCP, or "none".
MUST_CHECK bool http_settings_accept_address(const char *text, const char **ret_reason);

#endif
