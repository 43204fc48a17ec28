// How a server speaks TLS. The table in tls_settings.c is the documentation: --help prints it.
#ifndef LATCHKEY_COMMON_APP_TLS_SETTINGS_H
#define LATCHKEY_COMMON_APP_TLS_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/base/config.h"
#include "common/base/status.h"
#include "common/crypto/tls_server.h"

enum tls_client_certificates {
    TLS_CLIENT_CERTIFICATES_OFF,
    TLS_CLIENT_CERTIFICATES_OPTIONAL,
    TLS_CLIENT_CERTIFICATES_REQUIRED
};

struct tls_settings {
    const char *certificate; // NULL = no TLS; so the others
    const char *key;
    const char *client_ca;
    int client_certificates; // enum tls_client_certificates
    const char *revocation_list;
    const char *client_permissions;
    int64_t handshake_timeout_ms;
    int64_t max_handshakes;
    int64_t handshake_rate;
    int64_t reload_interval_ms; // 0 = on SIGHUP only
};

// Read before anything else runs; const from then on.
extern struct tls_settings tls_settings;

struct config_table tls_settings_get_table(void);

// What a server speaks TLS with, the files not looked at. Borrows `clock`.
struct tls_server_options tls_settings_get_server_options(const struct clock *clock);

// What no single row can say: an empty path is none, and some settings need others. INVALID with a sentence.
MUST_CHECK enum status tls_settings_complete(char *ret_error, size_t error_size);

#endif
