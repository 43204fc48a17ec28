#include "services/cli/doctor_tls.h"

#include <inttypes.h>

#include "common/app/tls_settings.h"
#include "common/base/clock.h"
#include "common/base/time_text.h"
#include "common/crypto/tls_chain.h"
#include "common/crypto/tls_server.h"

enum { ERROR_MAX = 512, DAYS_WARN = 14 };

#define DAY_MS INT64_C(86400000)

static void tell_expiry(struct doctor *doctor, int64_t expiry_ms) {
    char text[TIME_TEXT_MAX + 1];
    int64_t left_ms = expiry_ms - clock_get_realtime_ms(clock_get_system());
    bool is_soon = left_ms < DAYS_WARN * DAY_MS;
    time_text_format(expiry_ms, text);
    doctor_tell(doctor, is_soon ? VERDICT_WARN : VERDICT_OK, "certificate",
                is_soon ? "renew it: servers read new files by themselves" : NULL,
                "it ends at %s, in %" PRId64 " days; the key is its own", text, left_ms / DAY_MS);
}

static void look_at_files(struct doctor *doctor) {
    char error[ERROR_MAX];
    const struct tls_server_options options = tls_settings_get_server_options(clock_get_system());
    struct tls_server *server;
    if (tls_server_new(&options, &server, error, sizeof(error)) != STATUS_OK) {
        doctor_tell(doctor, VERDICT_FAIL, "certificate",
                    "replace the file; servers read it again by themselves", "%s", error);
        return;
    }
    tell_expiry(doctor, tls_server_get_expiry_s(server) * 1000);
    tls_server_free(server);
}

static void look_at_chain(struct doctor *doctor) {
    char error[ERROR_MAX];
    const char *authorities = options_find_text(&doctor->cli->options, "tls-ca");
    if (tls_chain_check(tls_settings.certificate, authorities, error, sizeof(error)) == STATUS_OK)
        doctor_tell(doctor, VERDICT_OK, "chain", NULL, "it leads to an authority of %s",
                    authorities ? authorities : "the system");
    else
        doctor_tell(
            doctor, VERDICT_WARN, "chain",
            "append what lies between to the certificate's file; name your own authority with --tls-ca", "%s",
            error);
}

void doctor_tls_look(struct doctor *doctor) {
    if (!tls_settings.certificate || !tls_settings.key) {
        doctor_tell(doctor, VERDICT_OK, "certificate", NULL, "these settings name none: no TLS");
        return;
    }
    look_at_files(doctor);
    look_at_chain(doctor);
}
