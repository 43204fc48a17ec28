// The settings of a validator: what it decides by and whom it follows. Those that every server has are
// common/app's.
#ifndef LATCHKEY_SERVICES_VALIDATOR_VALIDATOR_SETTINGS_H
#define LATCHKEY_SERVICES_VALIDATOR_VALIDATOR_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/config.h"

struct validator_settings {
    const char *lanes;
    int64_t max_staleness_ms;
    int64_t poll_interval_ms;
    int64_t max_clock_skew_ms;
    const char *snapshot_file;
    int64_t snapshot_period_ms;
    int64_t load_connections;
    int64_t min_revision_wait_ms;
    int64_t min_revision_calls;
    int64_t denials;
    int64_t denials_per_company;
    int64_t max_validate_bytes;
    int64_t max_batch_bytes;
    int64_t feed_log_bytes;
    const char *upstream;
    const char *upstream_token_file;
    const char *upstream_ca_file;
    const char *upstream_certificate_file;
    const char *upstream_key_file;
    const char *upstream_server_name;
    bool upstream_allow_plaintext;
    bool fold_reasons;
    const char *check_cookie;
};

#define VALIDATOR_SETTING_COUNT 23
extern const struct setting validator_setting_table[VALIDATOR_SETTING_COUNT];

#endif
