#include "services/invitation/invitation_settings.h"

#include <stddef.h>

#include "common/base/bytes.h"

struct invitation_settings invitation_settings;

static bool accept_url(const char *text, const char **ret_reason) {
    struct bytes url = bytes_of_text(text);
    bool is_web =
        bytes_has_prefix(url, BYTES_LITERAL("https://")) || bytes_has_prefix(url, BYTES_LITERAL("http://"));
    *ret_reason = "type the page's whole address, such as https://example.com/join, without a #";
    for (size_t i = 0; i < url.len; i++)
        if (url.data[i] <= ' ' || url.data[i] > '~' || strchr("#\"<>\\", url.data[i]))
            return false;
    return is_web;
}

#define OF(member) offsetof(struct invitation_settings, member)
#define DAY_MS INT64_C(86400000)

const struct setting invitation_setting_table[INVITATION_SETTING_COUNT] = {
    {.name = "invitation-url",
     .type = SETTING_TEXT,
     .offset = OF(url),
     .accept = accept_url,
     .value_name = "URL",
     .help =
         "Page on which an invitation is accepted: a link is it, a #, and the secret, which browsers send "
         "to no server. Unset, in latchkeyd: its console, where that is on."},
    {.name = "invitation-lifetime",
     .type = SETTING_DURATION,
     .offset = OF(lifetime_ms),
     .default_value = "72h",
     .min = 1000,
     .max = 30 * DAY_MS,
     .help = "How long an invitation can be accepted, from when it was made or last sent again."},
    {.name = "invitation-resend-interval",
     .type = SETTING_DURATION,
     .offset = OF(resend_interval_ms),
     .default_value = "1m",
     .min = 0,
     .max = DAY_MS,
     .help = "How soon an invitation may be sent again after it was sent again."},
    {.name = "invitation-tries",
     .type = SETTING_INTEGER,
     .offset = OF(tries),
     .default_value = "200",
     .min = 1,
     .max = 1000000,
     .help = "Links, good ones and others, which one address (IPv6: one /64) may look up or accept at once; "
             "one more is RESOURCE_EXHAUSTED before anybody looks at it."},
    {.name = "invitation-try-refill",
     .type = SETTING_DURATION,
     .offset = OF(try_refill_ms),
     .default_value = "100ms",
     .min = 1,
     .max = DAY_MS,
     .help = "How soon such an address has one more of them."},
    {.name = "invitation-wrong-tries",
     .type = SETTING_INTEGER,
     .offset = OF(wrong_tries),
     .default_value = "30",
     .min = 1,
     .max = 1000000,
     .help = "Links that work nowhere which one address (IPv6: one /64) may try at once."},
    {.name = "invitation-wrong-try-refill",
     .type = SETTING_DURATION,
     .offset = OF(wrong_try_refill_ms),
     .default_value = "2s",
     .min = 1,
     .max = DAY_MS,
     .help = "How soon such an address has one more try."},
};
