#include "common/app/tls_settings.h"

#include <stdio.h>

struct tls_settings tls_settings;

static const char *const client_choices[] = {"off", "optional", "required", NULL};

#define OF(member) offsetof(struct tls_settings, member)
#define HOUR_MS 3600000

static const struct setting rows[] = {
    {.name = "tls-certificate",
     .type = SETTING_TEXT,
     .offset = OF(certificate),
     .value_name = "FILE",
     .help =
         "The server's certificate in PEM, and behind it those that lead to its authority. With it --listen "
         "speaks TLS 1.2 and 1.3 only, unless it is a Unix socket."},
    {.name = "tls-key",
     .type = SETTING_TEXT,
     .offset = OF(key),
     .value_name = "FILE",
     .help = "The certificate's private key in PEM, not encrypted."},
    {.name = "tls-client-ca",
     .type = SETTING_TEXT,
     .offset = OF(client_ca),
     .value_name = "FILE",
     .help = "Authorities, in PEM, whose certificates clients may show."},
    {.name = "tls-client-certificates",
     .type = SETTING_CHOICE,
     .offset = OF(client_certificates),
     .default_value = "optional",
     .choices = client_choices,
     .help =
         "With --tls-client-ca: whether a client has to show a certificate. One that it shows has to be good "
         "in any case."},
    {.name = "tls-revocation-list",
     .type = SETTING_TEXT,
     .offset = OF(revocation_list),
     .value_name = "FILE",
     .help = "Certificate revocation lists in PEM, a current one of each authority between clients and the "
             "root; without one of them no client certificate is good."},
    {.name = "tls-client-permissions",
     .type = SETTING_TEXT,
     .offset = OF(client_permissions),
     .value_name = "FILE",
     .help =
         "What clients may ask validators by their certificates: lines of spiffe://DOMAIN/PATH or dns:NAME "
         "and latchkey.validate.any, .detail, .explain or .watch."},
    {.name = "tls-handshake-timeout",
     .type = SETTING_DURATION,
     .offset = OF(handshake_timeout_ms),
     .default_value = "10s",
     .min = 100,
     .max = HOUR_MS,
     .help = "For a client to complete its handshake."},
    {.name = "tls-max-handshakes",
     .type = SETTING_INTEGER,
     .offset = OF(max_handshakes),
     .default_value = "200",
     .min = 1,
     .max = 1000000,
     .help =
         "Handshakes under way on each loop; one more ends the first that has not said anything yet, or the first "
         "of all that has had a second, or is refused."},
    {.name = "tls-handshake-rate",
     .type = SETTING_INTEGER,
     .offset = OF(handshake_rate),
     .default_value = "100",
     .min = 0,
     .max = 1000,
     .help =
         "Handshakes that one address (IPv6: one /64) may begin in a second, this machine's own excepted; "
         "0 = any number, for where all clients come by one balancer."},
    {.name = "tls-reload-interval",
     .type = SETTING_DURATION,
     .offset = OF(reload_interval_ms),
     .default_value = "5s",
     .min = 0,
     .max = HOUR_MS,
     .help = "How often to look whether one of the files has changed; 0 = only on SIGHUP."},
};

struct config_table tls_settings_get_table(void) {
    return (struct config_table){
        .title = "TLS", .settings = rows, .count = ARRAY_LENGTH(rows), .base = &tls_settings};
}

struct tls_server_options tls_settings_get_server_options(const struct clock *clock) {
    bool asks_clients =
        tls_settings.client_ca && tls_settings.client_certificates != TLS_CLIENT_CERTIFICATES_OFF;
    return (struct tls_server_options){.certificate_file = tls_settings.certificate,
                                       .key_file = tls_settings.key,
                                       .client_ca_file = asks_clients ? tls_settings.client_ca : NULL,
                                       .require_client_certificate = tls_settings.client_certificates ==
                                                                     TLS_CLIENT_CERTIFICATES_REQUIRED,
                                       .revocation_file = asks_clients ? tls_settings.revocation_list : NULL,
                                       .clock = clock};
}

static void drop_empty(const char **path) {
    if (*path && **path == '\0')
        *path = NULL;
}

static const char *find_mistake(const struct tls_settings *settings) {
    if (!settings->certificate != !settings->key)
        return "--tls-certificate and --tls-key need each other";
    if (!settings->certificate && (settings->client_ca || settings->client_permissions))
        return "--tls-client-ca and --tls-client-permissions need --tls-certificate";
    if (!settings->client_ca && settings->client_certificates == TLS_CLIENT_CERTIFICATES_REQUIRED)
        return "--tls-client-certificates=required needs --tls-client-ca";
    if (settings->client_certificates == TLS_CLIENT_CERTIFICATES_OFF && settings->client_permissions)
        return "--tls-client-permissions needs --tls-client-certificates=optional or required";
    if (!settings->client_ca && (settings->revocation_list || settings->client_permissions))
        return "--tls-revocation-list and --tls-client-permissions need --tls-client-ca";
    return NULL;
}

enum status tls_settings_complete(char *ret_error, size_t error_size) {
    drop_empty(&tls_settings.certificate);
    drop_empty(&tls_settings.key);
    drop_empty(&tls_settings.client_ca);
    drop_empty(&tls_settings.revocation_list);
    drop_empty(&tls_settings.client_permissions);
    const char *mistake = find_mistake(&tls_settings);
    if (!mistake)
        return STATUS_OK;
    snprintf(ret_error, error_size, "%s", mistake);
    return STATUS_INVALID;
}
