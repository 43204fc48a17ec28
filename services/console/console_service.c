#include "services/console/console_service.h"

#include <stdio.h>

#include "services/console/console_by_mail.h"
#include "services/console/console_by_openid.h"
#include "services/console/console_call.h"
#include "services/console/console_client.h"
#include "services/console/console_guard.h"
#include "services/console/console_login.h"
#include "services/console/console_pages.h"
#include "services/console/console_rpc.h"
#include "services/console/console_session.h"
#include "services/console/console_settings.h"

enum { THREADS = 4, URL_MAX = 512, BODY_BYTES_MAX = 4096 };

// A provider that is slow leaves a thread to those who sign in by mail. Mails have 1 (console_mail.c).
enum { SHARE_OF_OPENID = 2 };

// ---- the site ----

// Scripts, styles and pictures are our own files, nothing runs that stands in a page, and no page shows us.
#define CONTENT_SECURITY_POLICY                                                                     \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " \
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

enum { HSTS };
static struct http_field fields[] = {
    [HSTS] = {"strict-transport-security", NULL}, // where the URL is https://
    {"content-security-policy", CONTENT_SECURITY_POLICY},
    {"referrer-policy", "no-referrer"},
    {"cross-origin-opener-policy", "same-origin"},
    {"cross-origin-resource-policy", "same-origin"},
    {"permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
    {"x-frame-options", "DENY"}, // for browsers that know no frame-ancestors
};

static bool ask_by_json(const struct http_request *request, struct local_request *call,
                        struct http_answer *answer) {
    (void)call;
    return console_guard_admits(request, answer);
}

static const struct http_route routes[] = {
    {.path = "/session",
     .name = "session",
     .methods = "GET",
     .max_body_bytes = BODY_BYTES_MAX,
     .ask = console_session_ask_who,
     .tell = console_session_tell_who},
    {.path = "/session/end",
     .name = "end",
     .methods = "POST",
     .max_body_bytes = BODY_BYTES_MAX,
     .ask = ask_by_json,
     .work = console_session_end},
    {.path = "/session/mail",
     .name = "mail",
     .methods = "POST",
     .max_body_bytes = BODY_BYTES_MAX,
     .ask = console_by_mail_ask},
    {.path = "/session/link",
     .name = "link",
     .methods = "POST",
     .max_body_bytes = BODY_BYTES_MAX,
     .ask = ask_by_json,
     .work = console_by_mail_use_link},
    {.path = "/session/openid",
     .name = "openid",
     .methods = "POST",
     .max_body_bytes = BODY_BYTES_MAX,
     .ask = console_by_openid_ask,
     .share = SHARE_OF_OPENID,
     .work = console_by_openid_begin},
    {.path = CONSOLE_OPENID_CALLBACK,
     .name = "openid_callback",
     .methods = "GET",
     .max_body_bytes = BODY_BYTES_MAX,
     .ask = console_by_openid_ask_back,
     .share = SHARE_OF_OPENID,
     .work = console_by_openid_come_back},
};

static const struct http_site site = {
    .metrics = HTTP_SITE_METRICS("console"),
    .setting = "--console-listen",
    .purpose = "the console",
    .listen = &console_settings.listen,
    .routes = routes,
    .route_count = ARRAY_LENGTH(routes),
    .methods = &console_rpc_route,
    .rest = &console_pages_route,
    .fields = fields,
    .field_count = ARRAY_LENGTH(fields),
    .threads = THREADS,
};

// ---- what it needs ----

static bool is_set(const char *text) {
    return text && *text;
}

static const char *find_lack_of_openid(void) {
    if (!console_settings_has_openid())
        return is_set(console_settings.openid_client_id) || is_set(console_settings.openid_client_secret_file)
                   ? "--console-openid-client-id, --console-openid-client-secret-file: name the provider with "
                     "--console-openid-issuer, too"
                   : NULL;
    if (!is_set(console_settings.openid_client_id))
        return "--console-openid-issuer: say with --console-openid-client-id what the provider calls this client";
    if (!is_set(console_settings.openid_client_secret_file))
        return "--console-openid-issuer: name the file with the client's secret by "
               "--console-openid-client-secret-file";
    return NULL;
}

static const char *find_lack(void) {
    if (!console_pages_are_there())
        return "--console-listen: this program was built without the console; build where npm is, or with "
               "-DLATCHKEY_CONSOLE=ON to see why not";
    if (!console_settings.url)
        return "--console-listen: say with --console-url what people type to get there";
    if (!console_settings.token_file)
        return "--console-listen: say with --console-token-file which token logs people in";
    if (!console_settings_has_mail() && !console_settings_has_openid())
        return "--console-listen: people sign in by e-mail or by an OpenID provider; name the mail server with "
               "--smtp-url, or the provider with --console-openid-issuer";
    return find_lack_of_openid();
}

static enum status check(const struct app_settings *settings, char *ret_error, size_t error_size) {
    (void)settings;
    if (!http_site_find_listen(&site))
        return STATUS_OK;
    const char *lack = find_lack();
    if (!lack)
        return STATUS_OK;
    snprintf(ret_error, error_size, "%s", lack);
    return STATUS_INVALID;
}

// ---- its life ----

static enum status start(struct app *app, char *ret_error, size_t error_size) {
    if (!http_site_find_listen(&site))
        return STATUS_OK;
    if (console_settings_is_https())
        fields[HSTS].value = "max-age=31536000";
    console_call_look_at_token();
    console_client_start(app_get_trusted_proxies(app));
    console_login_start(app_get_clock(app));
    enum status status = console_pages_start();
    if (status == STATUS_OK)
        status = console_by_mail_start(app_get_clock(app));
    if (status == STATUS_OK)
        status = console_by_openid_start(app_get_clock(app));
    if (status != STATUS_OK)
        snprintf(ret_error, error_size, "%s", status_get_text(status));
    return status;
}

static void stop(struct app *app) {
    (void)app;
    console_by_openid_stop();
    console_by_mail_stop();
    console_pages_stop();
}

const char *console_service_get_invitation_url(void) {
    static char url[URL_MAX];
    if (!http_site_find_listen(&site) || !console_settings.url)
        return NULL;
    int len = snprintf(url, sizeof(url), "%s/invitation", console_settings.url);
    return len > 0 && (size_t)len < sizeof(url) ? url : NULL;
}

static bool has_no_database(void) {
    return true;
}

const struct app_service console_service = {
    .name = "console",
    .site = &site,
    .sends_mail = true,
    .settings = console_setting_table,
    .setting_count = CONSOLE_SETTING_COUNT,
    .settings_base = &console_settings,
    .check = check,
    .start = start,
    .stop = stop,
    .has_no_database = has_no_database,
};
