// The console's settings. The table in console_settings.c is the documentation: --help prints it.
#ifndef LATCHKEY_SERVICES_CONSOLE_CONSOLE_SETTINGS_H
#define LATCHKEY_SERVICES_CONSOLE_CONSOLE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/config.h"

struct console_settings {
    const char *listen; // http_site.h
    const char *url;    // its origin, as browsers write it
    const char *token_file;
    const char *company; // NULL or "" = the one of its token
    int64_t link_lifetime_ms;
    int64_t links_max;
    int64_t links_per_address;
    int64_t link_tries;
    int64_t link_try_refill_ms;
};

extern struct console_settings console_settings;

#define CONSOLE_SETTING_COUNT 9
extern const struct setting console_setting_table[CONSOLE_SETTING_COUNT];

// "" = the one of the console's token.
const char *console_settings_get_company(void);

// Of --console-url: "https" or "http", and HOST[:PORT].
bool console_settings_is_https(void);
struct bytes console_settings_get_host(void);

#endif
