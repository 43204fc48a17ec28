// The settings of invitations.
#ifndef LATCHKEY_SERVICES_INVITATION_INVITATION_SETTINGS_H
#define LATCHKEY_SERVICES_INVITATION_INVITATION_SETTINGS_H

#include <stdint.h>

#include "common/base/config.h"

struct invitation_settings {
    const char *url; // NULL = none
    int64_t lifetime_ms;
    int64_t resend_interval_ms;
    int64_t tries;
    int64_t try_refill_ms;
    int64_t wrong_tries;
    int64_t wrong_try_refill_ms;
};

// Filled before the service starts; const from then on.
extern struct invitation_settings invitation_settings;

#define INVITATION_SETTING_COUNT 7
extern const struct setting invitation_setting_table[INVITATION_SETTING_COUNT];

#endif
