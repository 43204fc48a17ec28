#include "common/app/settings.h"

#include <string.h>

#include "common/base/bytes.h"
#include "common/net/listen_address.h"

static const char *const prepare_choices[] = {"auto", "off", NULL};
static const char *const level_choices[] = {"debug", "info", "warning", "error", NULL};
static const char *const format_choices[] = {"text", "json", NULL};

static bool accept_address(const char *text, const char **ret_reason) {
    struct listen_address address;
    return listen_address_parse(text, &address, ret_reason);
}

static bool accept_address_or_none(const char *text, const char **ret_reason) {
    return strcmp(text, "none") == 0 || accept_address(text, ret_reason);
}

static bool is_lower_letter(char character) {
    return character >= 'a' && character <= 'z';
}

static bool accept_brand(const char *text, const char **ret_reason) {
    *ret_reason = "type two lower-case letters such as lk";
    return is_lower_letter(text[0]) && is_lower_letter(text[1]) && text[2] == '\0';
}

// why: to libpq it is whatever its own variables and defaults make of it, in whichever account this runs.
static bool accept_database_url(const char *text, const char **ret_reason) {
    *ret_reason = "type one such as postgresql://HOST/latchkey, or leave it out";
    return *text != '\0';
}

#define OF(member) offsetof(struct app_settings, member)

const struct setting app_setting_table[] = {
    {.name = "config",
     .type = SETTING_FILES,
     .offset = OF(config),
     .value_name = "FILE",
     .help = "A file of settings, a line for each: name = VALUE, without the dashes. May be given again: the "
             "later file wins. The environment and the command line win over files."},
    {.name = "listen",
     .type = SETTING_TEXT,
     .offset = OF(listen),
     .accept = accept_address,
     .value_name = "ADDRESS:PORT",
     .help = "Where gRPC is served. An IPv6 address stands in brackets; unix:/PATH is a socket in the file "
             "system."},
    {.name = "admin-listen",
     .type = SETTING_TEXT,
     .offset = OF(admin_listen),
     .accept = accept_address_or_none,
     .value_name = "ADDRESS:PORT",
     .help = "Where /livez, /readyz and /metrics are served over plain HTTP. \"none\" switches it off."},
    {.name = "allow-plaintext",
     .type = SETTING_BOOLEAN,
     .offset = OF(allow_plaintext),
     .default_value = "false",
     .help = "Serve without TLS on an address that is not loopback. Only where something in front encrypts: "
             "tokens "
             "travel in these calls."},
    {.name = "trusted-proxies",
     .type = SETTING_TEXT,
     .offset = OF(trusted_proxies),
     .default_value = "",
     .value_name = "PREFIX,...",
     .help = "Proxies whose x-forwarded-for is believed: the caller's address is the right-most one there "
             "that is not "
             "in this list. Empty: the address is that of the TCP peer."},

    {.name = "database-url",
     .type = SETTING_TEXT,
     .offset = OF(database_url),
     .accept = accept_database_url,
     .takes_empty = true,
     .value_name = "URL",
     .default_value = "postgresql:///latchkey",
     .help = "PostgreSQL connection string; several hosts may be named. Keep the password out of it: "
             "PGPASSFILE or "
             "passfile= name a file."},
    {.name = "database-direct-url",
     .type = SETTING_TEXT,
     .offset = OF(database_direct_url),
     .value_name = "URL",
     .help =
         "The same database past a connection pooler, for LISTEN and snapshots. Default: --database-url."},
    {.name = "database-pool-size",
     .type = SETTING_INTEGER,
     .offset = OF(database_pool_size),
     .default_value = "10",
     .min = 3,
     .max = 1000,
     .help = "Connections to the database at most, those of background threads included."},
    {.name = "database-prepare",
     .type = SETTING_CHOICE,
     .offset = OF(database_prepare),
     .default_value = "auto",
     .choices = prepare_choices,
     .help = "Whether statements are prepared once per connection; off for poolers in transaction mode that "
             "can't keep them (PgBouncer before 1.21)."},
    {.name = "database-lease-wait",
     .type = SETTING_DURATION,
     .offset = OF(database_lease_wait_ms),
     .default_value = "2s",
     .min = 1,
     .max = 60000,
     .help = "How long a call waits for a free connection before it is UNAVAILABLE."},

    {.name = "loops",
     .type = SETTING_INTEGER,
     .offset = OF(loops),
     .default_value = "0",
     .min = 0,
     .max = 1024,
     .help = "Threads that serve connections; 0 = one per core."},
    {.name = "workers",
     .type = SETTING_INTEGER,
     .offset = OF(workers),
     .default_value = "8",
     .min = 1,
     .max = 1024,
     .help =
         "Threads that run transactions, of which calls of one lane get three quarters. Should not exceed "
         "--database-pool-size less 2."},
    {.name = "worker-queue",
     .type = SETTING_INTEGER,
     .offset = OF(worker_queue),
     .default_value = "1024",
     .min = 1,
     .max = 1000000,
     .help =
         "Calls that wait for a worker at most, of one lane three quarters of them; one more is UNAVAILABLE "
         "(OVERLOADED)."},

    {.name = "use-flush-interval",
     .type = SETTING_DURATION,
     .offset = OF(use_flush_interval_ms),
     .default_value = "5s",
     .min = 100,
     .max = 60000,
     .help =
         "How long last uses of tokens and hits of whitelist entries are gathered before they are written "
         "to the database."},
    {.name = "use-table-size",
     .type = SETTING_INTEGER,
     .offset = OF(use_table_size),
     .default_value = "8192",
     .min = 64,
     .max = 1000000,
     .help = "Different pairs of token and address that each loop gathers at most before they are written; "
             "more are dropped and counted. A pair takes about 256 bytes."},

    {.name = "wait-for-validators-max",
     .type = SETTING_DURATION,
     .offset = OF(wait_for_validators_max_ms),
     .default_value = "50s",
     .min = 0,
     .max = 3600000,
     .help = "Longest wait_for_validators; a longer one is refused."},
    {.name = "brand",
     .type = SETTING_TEXT,
     .offset = OF(brand),
     .accept = accept_brand,
     .default_value = "lk",
     .value_name = "LETTERS",
     .help = "The two lower-case letters that every secret begins with. Secrets of another brand are "
             "malformed here."},

    {.name = "accept-foreign-secrets",
     .type = SETTING_BOOLEAN,
     .offset = OF(accept_foreign_secrets),
     .default_value = "false",
     .help =
         "Look up secrets that are not shaped like Latchkey's too: those of imported tokens. On every server or "
         "on none. Off, whatever has another shape is malformed and costs no look-up."},

    {.name = "drain-delay",
     .type = SETTING_DURATION,
     .offset = OF(drain_delay_ms),
     .default_value = "0",
     .min = 0,
     .max = 600000,
     .help = "After SIGTERM: how long to serve on as NOT_SERVING, so that balancers turn away first (5s in "
             "Kubernetes)."},
    {.name = "drain-grace",
     .type = SETTING_DURATION,
     .offset = OF(drain_grace_ms),
     .default_value = "20s",
     .min = 0,
     .max = 3600000,
     .help = "Then: how long calls that run may take to end."},
    {.name = "log-level",
     .type = SETTING_CHOICE,
     .offset = OF(log_level),
     .default_value = "info",
     .choices = level_choices,
     .help = "The least that is logged."},
    {.name = "log-format",
     .type = SETTING_CHOICE,
     .offset = OF(log_format),
     .default_value = "text",
     .choices = format_choices,
     .help = "One line per event, for people or as JSON."},
};
const size_t app_setting_count = ARRAY_LENGTH(app_setting_table);

void app_settings_complete(struct app_settings *settings) {
    if (!settings->database_direct_url)
        settings->database_direct_url = settings->database_url;
    if (settings->admin_listen && strcmp(settings->admin_listen, "none") == 0)
        settings->admin_listen = NULL;
}
