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
    const char *openid_issuer; // openid_provider.h
    const char *openid_client_id;
    const char *openid_client_secret_file;
    const char *openid_ca_file;
    const char *openid_name; // of the provider, as people are shown it; NULL = its host
    int64_t openid_timeout_ms;
    int64_t openid_answer_max_bytes;
    int64_t openid_skew_ms;
    int64_t openid_kept_ms;
    int64_t openid_retry_ms;
    int64_t openid_lifetime_ms;
    int64_t openid_sign_ins_max;
    int64_t openid_tries;
    int64_t openid_try_refill_ms;
};

extern struct console_settings console_settings;

#define CONSOLE_SETTING_COUNT 23
extern const struct setting console_setting_table[CONSOLE_SETTING_COUNT];

// "" = the one of the console's token.
const char *console_settings_get_company(void);

// The ways in which people sign in.
bool console_settings_has_mail(void);
bool console_settings_has_openid(void);

// What the provider is called. Borrows.
struct bytes console_settings_get_provider_name(void);

// Of --console-url: "https" or "http", and HOST[:PORT].
bool console_settings_is_https(void);
struct bytes console_settings_get_host(void);

#endif
