// How a server sends mail, and how much of it. The table in mail_settings.c is the documentation: --help
// prints it for programs whose services send mail.
#ifndef LATCHKEY_COMMON_APP_MAIL_SETTINGS_H
#define LATCHKEY_COMMON_APP_MAIL_SETTINGS_H

#include <stdint.h>

#include "common/base/config.h"

struct mail_settings {
    const char *smtp_url; // NULL or "" = no mail server
    const char *smtp_password_file;
    const char *smtp_ca_file;
    int smtp_tls; // enum smtp_tls
    int64_t smtp_timeout_ms;
    const char *mail_from;
    int64_t mail_poll_ms;
    int64_t mail_retry_for_ms;
    int64_t company_hourly_max;
    int64_t sender_daily_max;
    int64_t recipient_daily_max;
};

// Read by app_main() before anything else runs; const from then on.
extern struct mail_settings mail_settings;

extern const struct setting mail_setting_table[];
extern const size_t mail_setting_count;

#endif
