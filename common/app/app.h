// The skeleton of a server process: settings, log, loops, workers, database, admin port, signals and drain,
// around the services that it is made of. A program is a const description; app_main() does the rest:
//
//   STARTING --loaded--> SERVING --SIGTERM, SIGINT--> LEAVING --drain_delay--> DRAINING --idle or
//   drain_grace--> STOPPED
//
// LEAVING: health says NOT_SERVING and /readyz 503, calls are still served, so that balancers turn away
// first. DRAINING: listeners are closed, peers get GOAWAY, what runs is finished. A second signal ends the
// wait. SIGHUP reads the files of TLS and of the services again.
//
// What it ends with is told by exit_status.h, and with a sentence on standard error. --check-config ends with
// a sentence for each mistake.
#ifndef LATCHKEY_COMMON_APP_APP_H
#define LATCHKEY_COMMON_APP_APP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/app/bearer.h"
#include "common/app/http_site.h"
#include "common/app/job.h"
#include "common/app/method.h"
#include "common/app/metrics.h"
#include "common/app/outbox.h"
#include "common/app/settings.h"
#include "common/app/use_log.h"
#include "common/base/buffer.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/db/pool.h"
#include "common/grpc/method.h"
#include "common/ip/ip_set.h"
#include "common/net/loop.h"

struct app;

// One service of the contract, as its directory under services/ offers it. Static storage.
struct app_service {
    const char *name; // "latchkey.v1.TokenService", as health and reflection know it

    // Methods that change or read the database: authenticated, in one transaction, on a worker.
    const struct app_method *methods;
    size_t method_count;
    app_screen *screen; // of the open ones among them; where there are any, it is there

    // Methods that are answered on the loop from memory.
    const struct grpc_method *inline_methods;
    size_t inline_method_count;

    // What it serves over HTTP/1.1 beside its methods; and a site with a port of its own, NULL = none.
    const struct http_route *http_routes;
    size_t http_route_count;
    const struct http_site *site;

    // What it does by itself, while the server runs.
    const struct app_job *const *jobs;
    size_t job_count;

    // The mails that it renders; and whether it hands others to the mail server itself (mailer_get_server()).
    const struct mail_kind *mail_kinds;
    size_t mail_kind_count;
    bool sends_mail;

    // The service's own settings; `settings_base` is static and filled before start().
    const struct setting *settings;
    size_t setting_count;
    void *settings_base;

    // May be NULL. Whether the settings, and the files that they name, are good as far as no single row can
    // say: INVALID, and a sentence. Before anything else, without threads; it leaves nothing behind.
    enum status (*check)(const struct app_settings *settings, char *ret_error, size_t error_size);

    // All may be NULL. start() runs before the listeners open and must not block on the database; on failure
    // it leaves one sentence in `ret_error`; INVALID is a setting's, or its file's. stop() runs after the
    // last call was answered.
    enum status (*start)(struct app *app, char *ret_error, size_t error_size);
    void (*stop)(struct app *app);
    // Writes one line for each reason why it can't serve yet or no more; any thread.
    void (*write_unready)(struct buffer *to);
    // Each loop calls it once on its own thread before it serves, and again when it ends.
    void (*enter_loop)(struct loop *loop);
    void (*leave_loop)(struct loop *loop);

    // Whether it works without a database, as its settings are. Where all services do, nobody looks for one,
    // and uses of tokens are not kept. NULL: it needs one.
    bool (*has_no_database)(void);

    // The main thread, between start() and stop(): every second or so, to read again what files of its own
    // have changed; and on SIGHUP, to read all of them. May be NULL.
    void (*tick)(void);
    void (*reload)(void);
};

#define APP_SERVICES_MAX 16

struct app_program {
    const char *name;    // "latchkey-token"
    const char *summary; // one sentence for --help
    const char *listen;  // the defaults of --listen and --admin-listen
    const char *admin_listen;
    const struct app_service *const *services;
    size_t service_count;
    void (*complete)(void); // settings of one service that follow from another's; NULL = none do
};

// main() of every server: returns the exit code.
int app_main(const struct app_program *program, int argc, char **argv);

// For services, between start() and stop(); any thread unless said.
const struct app_settings *app_get_settings(const struct app *app);
const struct clock *app_get_clock(const struct app *app);
struct db_pool *app_get_database(const struct app *app);
const struct db_end *app_get_database_end(const struct app *app);    // for connections of their own
const struct ip_set *app_get_trusted_proxies(const struct app *app); // NULL = none
struct metrics *app_get_metrics(const struct app *app);              // in start() only
size_t app_get_loop_count(const struct app *app);                    // enter_loop() is called on each
struct use_loop *app_get_use_loop(struct app *app, size_t index);    // where a loop notes uses of tokens
// What secrets are looked up at all.
struct bearer_shape app_get_bearer_shape(const struct app *app);
// This process's name in logs and in the list of validators: host name and port.
const char *app_get_instance_name(const struct app *app);

// After a commit that changed something (validators_wake()). Any thread.
void app_wake_validators(struct app *app);

// Tells health, /readyz and whoever watches that write_unready() would answer otherwise now. Any thread.
void app_readiness_changed(struct app *app);

#endif
