#include "services/validator/validator_settings.h"

#include <stddef.h>

#include "services/validator/follow/token_stream.h"
#include "services/validator/gateway/presented_token.h"
#include "services/validator/image/lane_set.h"

#define OF(member) offsetof(struct validator_settings, member)

static bool accept_lanes(const char *text, const char **ret_reason) {
    struct lane_set set;
    *ret_reason = "type lanes from 0 to 63 and ranges of them, such as 0-31 or 0-15,47";
    return lane_set_parse(bytes_of_text(text), &set);
}

const struct setting validator_setting_table[VALIDATOR_SETTING_COUNT] = {
    {.name = "lanes",
     .type = SETTING_TEXT,
     .offset = OF(lanes),
     .default_value = "0-63",
     .accept = accept_lanes,
     .help =
         "The lanes of companies that it serves, such as 0-31: it holds their tokens alone, and answers "
         "UNAVAILABLE (LANE_NOT_SERVED) to all others. Secrets name their lane, by which a proxy finds who "
         "serves them (docs/scaling.md)."},
    {.name = "max-staleness",
     .type = SETTING_DURATION,
     .offset = OF(max_staleness_ms),
     .default_value = "30s",
     .min = 100,
     .max = 3600000,
     .help = "How long it decides without having heard from the database, counted from before it last asked; "
             "then it answers UNAVAILABLE (STALE). A confirmed revocation waits as long for a validator that "
             "is gone."},
    {.name = "poll-interval",
     .type = SETTING_DURATION,
     .offset = OF(poll_interval_ms),
     .default_value = "1s",
     .min = 10,
     .max = 60000,
     .help = "It looks for changes at least so often, also when no notification has told it to."},
    {.name = "max-clock-skew",
     .type = SETTING_DURATION,
     .offset = OF(max_clock_skew_ms),
     .default_value = "5s",
     .min = 1,
     .max = 3600000,
     .help = "With the database's clock farther away from its own than this it does not decide. Below, its "
             "time is corrected by the difference."},
    {.name = "snapshot-file",
     .type = SETTING_TEXT,
     .offset = OF(snapshot_file),
     .default_value = "",
     .help =
         "A file that this validator alone keeps, mode 0600: it starts from it and reads from the database "
         "only what has changed since. One that is damaged, old or another database's is ignored. Empty, "
         "or with --upstream: none."},
    {.name = "snapshot-period",
     .type = SETTING_DURATION,
     .offset = OF(snapshot_period_ms),
     .default_value = "10m",
     .min = 1000,
     .max = 86400000,
     .help = "How often the snapshot file is written while things change. Well below the hour for which the "
             "change log is kept: an older file is of no use."},
    {.name = "load-connections",
     .type = SETTING_INTEGER,
     .offset = OF(load_connections),
     .default_value = "2",
     .min = 1,
     .max = TOKEN_STREAM_READERS_MAX,
     .help =
         "Connections over which everything is read from the database at once, each with up to 256 MiB of "
         "PostgreSQL's work_mem. All but the first are closed when it is done."},
    {.name = "min-revision-wait",
     .type = SETTING_DURATION,
     .offset = OF(min_revision_wait_ms),
     .default_value = "200ms",
     .min = 0,
     .max = 60000,
     .help = "How long a call waits at most for its min_revision before it is answered UNAVAILABLE "
             "(REVISION_NOT_REACHED); never past its own deadline."},
    {.name = "min-revision-calls",
     .type = SETTING_INTEGER,
     .offset = OF(min_revision_calls),
     .default_value = "10000",
     .min = 0,
     .max = 1000000,
     .help = "Calls of each loop that may wait for their min_revision at once; one more is UNAVAILABLE "
             "(OVERLOADED)."},
    {.name = "max-validate-size",
     .type = SETTING_SIZE,
     .offset = OF(max_validate_bytes),
     .default_value = "64KiB",
     .min = 1024,
     .max = 1048576,
     .help = "The largest question, alone or on a stream."},
    {.name = "max-batch-size",
     .type = SETTING_SIZE,
     .offset = OF(max_batch_bytes),
     .default_value = "1MiB",
     .min = 1024,
     .max = 16777216,
     .help = "The largest batch of questions."},
    {.name = "upstream",
     .type = SETTING_TEXT,
     .offset = OF(upstream),
     .default_value = "",
     .value_name = "ADDRESS",
     .help =
         "Follow the validator at this address in place of the database, which is then not needed: HOST:PORT, "
         "https://HOST:PORT or unix:PATH. Last uses of tokens are not kept. Empty: the database."},
    {.name = "upstream-token-file",
     .type = SETTING_TEXT,
     .offset = OF(upstream_token_file),
     .default_value = "",
     .value_name = "PATH",
     .help =
         "The file with the token that the upstream knows this validator by; it needs latchkey.validate.watch. "
         "Read at each connection. Empty: a certificate."},
    {.name = "upstream-ca-file",
     .type = SETTING_TEXT,
     .offset = OF(upstream_ca_file),
     .default_value = "",
     .value_name = "PATH",
     .help = "Who vouches for the upstream's certificate; makes the connection TLS. Empty: the system's "
             "authorities, where TLS is spoken."},
    {.name = "upstream-certificate-file",
     .type = SETTING_TEXT,
     .offset = OF(upstream_certificate_file),
     .default_value = "",
     .value_name = "PATH",
     .help = "This validator's own certificate for the upstream; makes the connection TLS."},
    {.name = "upstream-key-file",
     .type = SETTING_TEXT,
     .offset = OF(upstream_key_file),
     .default_value = "",
     .value_name = "PATH",
     .help = "The key of that certificate."},
    {.name = "upstream-server-name",
     .type = SETTING_TEXT,
     .offset = OF(upstream_server_name),
     .default_value = "",
     .value_name = "NAME",
     .help = "The name that the upstream's certificate is for. Empty: the host of its address."},
    {.name = "upstream-allow-plaintext",
     .type = SETTING_BOOLEAN,
     .offset = OF(upstream_allow_plaintext),
     .default_value = "false",
     .help = "Speak to an upstream on another machine without TLS."},
    {.name = "feed-log-size",
     .type = SETTING_SIZE,
     .offset = OF(feed_log_bytes),
     .default_value = "64MiB",
     .min = 65536,
     .max = INT64_C(1) << 36,
     .help =
         "The memory of changes that is kept for validators that are fed by this one (--upstream): who has "
         "not taken them when they are given up, or comes back later, loads everything again. None is used "
         "before somebody has been fed."},
    {.name = "denials",
     .type = SETTING_INTEGER,
     .offset = OF(denials),
     .default_value = "4096",
     .min = 0,
     .max = 1000000,
     .help =
         "Different refusals that each loop keeps in memory for ListDenials, of all companies together, at "
         "about 400 bytes each; 0 keeps none."},
    {.name = "denials-per-company",
     .type = SETTING_INTEGER,
     .offset = OF(denials_per_company),
     .default_value = "100",
     .min = 1,
     .max = 10000,
     .help = "Of one company, and of secrets that no token has. The oldest make room."},
    {.name = "fold-reasons",
     .type = SETTING_BOOLEAN,
     .offset = OF(fold_reasons),
     .default_value = "false",
     .help = "Answer UNKNOWN in place of every reason from MALFORMED to EXPIRED, except to callers with "
             "latchkey.validate.detail: nobody learns that a secret once was good."},
    {.name = "check-cookie",
     .type = SETTING_TEXT,
     .offset = OF(check_cookie),
     .default_value = "",
     .accept = presented_token_accept_cookie,
     .value_name = "NAME",
     .help = "The cookie in which /check and Envoy's Check find a token when no header field presents one. "
             "Empty: in none."},
};
