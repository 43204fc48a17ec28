#include "common/app/tls_material.h"

#include "common/app/client_rights.h"
#include "common/app/tls_settings.h"
#include "common/app/watched_files.h"

static const struct clock *clock;
static struct tls_server *server; // NULL = no TLS
static uint64_t looked_ns;

static enum status read_certificates(char *ret_error, size_t error_size) {
    return tls_server_reload(server, ret_error, error_size);
}

static enum status read_rights(char *ret_error, size_t error_size) {
    struct client_rights *rights;
    if (!tls_settings.client_permissions)
        return STATUS_OK;
    enum status status = client_rights_read(tls_settings.client_permissions, &rights, ret_error, error_size);
    if (status == STATUS_OK)
        client_rights_publish(rights);
    return status;
}

#define TEXTS                             \
    .read_again = "TLS files read again", \
    .unusable = "TLS files can't be used; what was read before stays in use"

static struct watched_files sets[] = {
    {.paths = {&tls_settings.certificate, &tls_settings.key, &tls_settings.client_ca,
               &tls_settings.revocation_list},
     .read = read_certificates,
     TEXTS},
    {.paths = {&tls_settings.client_permissions}, .read = read_rights, TEXTS},
};

enum status tls_material_open(const struct clock *the_clock, char *ret_error, size_t error_size) {
    if (!tls_settings.certificate)
        return STATUS_OK;
    clock = the_clock;
    looked_ns = clock_get_monotonic_ns(clock);
    for (size_t i = 0; i < ARRAY_LENGTH(sets); i++)
        (void)watched_files_look(&sets[i]);
    const struct tls_server_options options = tls_settings_get_server_options(clock);
    enum status status = tls_server_new(&options, &server, ret_error, error_size);
    return status == STATUS_OK ? read_rights(ret_error, error_size) : status;
}

void tls_material_close(void) {
    client_rights_publish(NULL);
    tls_server_free(server);
    server = NULL;
}

void tls_material_fill(struct grpc_server_options *options) {
    options->tls = server;
    options->tls_limits = (struct grpc_tls_limits){.handshake_timeout_ms = tls_settings.handshake_timeout_ms,
                                                   .max_handshakes = tls_settings.max_handshakes,
                                                   .peer_handshake_rate = tls_settings.handshake_rate};
}

void tls_material_tick(void) {
    if (!server || tls_settings.reload_interval_ms == 0)
        return;
    uint64_t now_ns = clock_get_monotonic_ns(clock);
    if (now_ns - looked_ns < (uint64_t)tls_settings.reload_interval_ms * 1000000)
        return;
    looked_ns = now_ns;
    for (size_t i = 0; i < ARRAY_LENGTH(sets); i++)
        watched_files_tick(&sets[i]);
}

void tls_material_reload(void) {
    if (!server)
        return;
    for (size_t i = 0; i < ARRAY_LENGTH(sets); i++)
        watched_files_reload(&sets[i]);
}

void tls_material_write_metrics(struct metrics_writer *writer, void *context) {
    (void)context;
    if (!server)
        return;
    metrics_write_gauge(writer, "latchkey_tls_certificate_expires_seconds",
                        "When the server's certificate ends, in seconds since 1970.", NULL,
                        (double)tls_server_get_expiry_s(server));
    watched_files_write_metrics(writer, "latchkey_tls_reload_total", "Times that TLS files were read again.",
                                sets, ARRAY_LENGTH(sets));
}
