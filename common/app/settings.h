// The settings that every server has. The table in settings.c is the documentation: --help prints it.
#ifndef LATCHKEY_COMMON_APP_SETTINGS_H
#define LATCHKEY_COMMON_APP_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/config.h"

struct app_settings {
    struct config_file *config;
    const char *listen;
    const char *admin_listen;
    bool allow_plaintext;
    const char *trusted_proxies;

    const char *database_url;
    const char *database_direct_url;
    int64_t database_pool_size;
    int database_prepare; // enum app_database_prepare
    int64_t database_lease_wait_ms;

    int64_t loops;
    int64_t workers;
    int64_t worker_queue;

    int64_t use_flush_interval_ms;
    int64_t use_table_size;

    int64_t wait_for_validators_max_ms;
    const char *brand;
    bool accept_foreign_secrets;

    int64_t drain_delay_ms;
    int64_t drain_grace_ms;
    int log_level;  // enum log_level
    int log_format; // enum log_format
};

enum app_database_prepare { DATABASE_PREPARE_AUTO, DATABASE_PREPARE_OFF };

extern const struct setting app_setting_table[];
extern const size_t app_setting_count;

// What no single row can say: the direct URL is by default the other one, and "none" is no address.
void app_settings_complete(struct app_settings *settings);

#endif
