#include "services/console/console_settings.h"

#include <stddef.h>
#include <string.h>

#include "common/app/http_settings.h"
#include "common/app/mail_settings.h"
#include "common/base/typeid.h"
#include "common/openid/openid_url.h"

struct console_settings console_settings;

enum { CLIENT_ID_MAX = 255, NAME_MAX_BYTES = 100 };

#define HTTPS BYTES_LITERAL("https://")
#define HTTP BYTES_LITERAL("http://")

// ---- --console-url ----

static struct bytes cut(struct bytes text, struct bytes prefix) {
    return bytes_of(text.data + prefix.len, text.len - prefix.len);
}

static bool has_suffix(struct bytes text, struct bytes suffix) {
    return text.len >= suffix.len &&
           bytes_is_equal(bytes_of(text.data + text.len - suffix.len, suffix.len), suffix);
}

// HOST[:PORT], in lower case, as browsers write it: they leave out the scheme's own port.
static bool is_host(struct bytes text) {
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~' || strchr("/?#@*\\\"<>,;", text.data[i]) ||
            (text.data[i] >= 'A' && text.data[i] <= 'Z'))
            return false;
    return text.len > 0;
}

// Browsers send nothing for these to another machine, and keep Secure cookies for them.
static bool is_of_this_machine(struct bytes host) {
    if (bytes_has_prefix(host, BYTES_LITERAL("[::1]")))
        return true;
    struct bytes name = bytes_split(&host, ':');
    return bytes_is_text(name, "localhost") || bytes_is_text(name, "127.0.0.1") ||
           has_suffix(name, BYTES_LITERAL(".localhost"));
}

static bool accept_url(const char *text, const char **ret_reason) {
    struct bytes url = bytes_of_text(text);
    *ret_reason = "type what stands in the browser's address bar before the path, such as "
                  "https://console.example.com; http:// is for localhost alone";
    if (bytes_has_prefix(url, HTTPS))
        return is_host(cut(url, HTTPS)) && !has_suffix(url, BYTES_LITERAL(":443"));
    return bytes_has_prefix(url, HTTP) && is_host(cut(url, HTTP)) && !has_suffix(url, BYTES_LITERAL(":80")) &&
           is_of_this_machine(cut(url, HTTP));
}

bool console_settings_is_https(void) {
    return bytes_has_prefix(bytes_of_text(console_settings.url), HTTPS);
}

struct bytes console_settings_get_host(void) {
    return cut(bytes_of_text(console_settings.url), console_settings_is_https() ? HTTPS : HTTP);
}

const char *console_settings_get_company(void) {
    return console_settings.company ? console_settings.company : "";
}

// ---- the ways to sign in ----

bool console_settings_has_mail(void) {
    return mail_settings.smtp_url && *mail_settings.smtp_url;
}

bool console_settings_has_openid(void) {
    return console_settings.openid_issuer && *console_settings.openid_issuer;
}

struct bytes console_settings_get_provider_name(void) {
    return console_settings.openid_name && *console_settings.openid_name
               ? bytes_of_text(console_settings.openid_name)
               : openid_url_get_host(console_settings.openid_issuer);
}

// Empty: unset.
static bool accept_company(const char *text, const char **ret_reason) {
    struct uuid company_id;
    *ret_reason = "type the company's ID, such as cmp_01j..., which latchkey company list shows";
    return !*text || typeid_parse(bytes_of_text(text), TYPEID_COMPANY, &company_id);
}

static bool accept_issuer(const char *text, const char **ret_reason) {
    *ret_reason = "type the issuer exactly as its discovery document does, such as https://id.example.com; "
                  "http:// is for this machine alone";
    return openid_url_is_issuer(text);
}

static bool accept_client_id(const char *text, const char **ret_reason) {
    size_t len = strnlen(text, CLIENT_ID_MAX + 1);
    *ret_reason = "type what the provider calls this client: printable ASCII, 255 characters at most";
    for (size_t i = 0; i < len; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false;
    return len > 0 && len <= CLIENT_ID_MAX;
}

static bool accept_name(const char *text, const char **ret_reason) {
    struct bytes name = bytes_of_text(text);
    *ret_reason = "type what people call the provider, without control characters, 100 bytes at most";
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] < ' ' || name.data[i] == 0x7f)
            return false;
    return name.len > 0 && name.len <= NAME_MAX_BYTES && bytes_is_utf8(name);
}

// ---- the table ----

#define OF(member) offsetof(struct console_settings, member)
#define MINUTE_MS INT64_C(60000)
#define DAY_MS INT64_C(86400000)

const struct setting console_setting_table[CONSOLE_SETTING_COUNT] = {
    {.name = "console-listen",
     .type = SETTING_TEXT,
     .offset = OF(listen),
     .accept = http_settings_accept_address,
     .default_value = "none",
     .value_name = "ADDRESS:PORT",
     .help = "Where the console is served, the pages for people. Without TLS: what encrypts stands in front. "
             "The limits of --http-max-connections and its neighbours are its own, too. \"none\" switches it "
             "off."},
    {.name = "console-url",
     .type = SETTING_TEXT,
     .offset = OF(url),
     .accept = accept_url,
     .value_name = "URL",
     .help = "What people type to get to the console, such as https://console.example.com. Requests to "
             "another host, or from pages of another origin, are refused; links in mails lead there."},
    {.name = "console-token-file",
     .type = SETTING_TEXT,
     .offset = OF(token_file),
     .value_name = "PATH",
     .help = "The file with the token by which the console logs people in; it needs latchkey.logins.create "
             "and nothing else. Read at each log-in."},
    {.name = "console-company",
     .type = SETTING_TEXT,
     .offset = OF(company),
     .accept = accept_company,
     .value_name = "ID",
     .help = "The company that people log in to who name none: its ID. Unset: the company of the console's "
             "token."},
    {.name = "console-link-lifetime",
     .type = SETTING_DURATION,
     .offset = OF(link_lifetime_ms),
     .default_value = "15m",
     .min = 1000,
     .max = DAY_MS,
     .help = "How long a link for signing in, sent by e-mail, can be used, once."},
    {.name = "console-links-max",
     .type = SETTING_INTEGER,
     .offset = OF(links_max),
     .default_value = "10000",
     .min = 1,
     .max = 1000000,
     .help = "Such links that are remembered at once; for one more no mail is sent."},
    {.name = "console-links-per-address",
     .type = SETTING_INTEGER,
     .offset = OF(links_per_address),
     .default_value = "5",
     .min = 1,
     .max = 1000,
     .help =
         "Links to one e-mail address, asked for from one address (IPv6: one /64), that can be used at once, and "
         "four times as many asked for by anybody; for one more no mail is sent."},
    {.name = "console-link-tries",
     .type = SETTING_INTEGER,
     .offset = OF(link_tries),
     .default_value = "20",
     .min = 1,
     .max = 1000000,
     .help =
         "Links that may be asked for from one address (IPv6: one /64) at once; one more is answered 429."},
    {.name = "console-link-try-refill",
     .type = SETTING_DURATION,
     .offset = OF(link_try_refill_ms),
     .default_value = "30s",
     .min = 1,
     .max = DAY_MS,
     .help = "How soon such an address may ask for one more of them."},
    {.name = "console-openid-issuer",
     .type = SETTING_TEXT,
     .offset = OF(openid_issuer),
     .accept = accept_issuer,
     .value_name = "URL",
     .help =
         "The OpenID provider that people may sign in by: its issuer, exactly as it writes it. It is told "
         "to lead back to --console-url with /session/openid/callback behind it. Whom it vouches for is "
         "believed."},
    {.name = "console-openid-client-id",
     .type = SETTING_TEXT,
     .offset = OF(openid_client_id),
     .accept = accept_client_id,
     .value_name = "ID",
     .help = "What the provider calls the console as its client."},
    {.name = "console-openid-client-secret-file",
     .type = SETTING_TEXT,
     .offset = OF(openid_client_secret_file),
     .value_name = "PATH",
     .help = "The file whose first line is the client's secret. Read at each sign-in."},
    {.name = "console-openid-ca-file",
     .type = SETTING_TEXT,
     .offset = OF(openid_ca_file),
     .value_name = "PATH",
     .help = "PEM file of the authorities that may vouch for the provider's certificate, in place of the "
             "system's."},
    {.name = "console-openid-name",
     .type = SETTING_TEXT,
     .offset = OF(openid_name),
     .accept = accept_name,
     .value_name = "NAME",
     .help = "What the button says that people sign in with. Unset: the host of the issuer."},
    {.name = "console-openid-timeout",
     .type = SETTING_DURATION,
     .offset = OF(openid_timeout_ms),
     .default_value = "10s",
     .min = 100,
     .max = MINUTE_MS,
     .help = "How long each request to the provider may take as a whole."},
    {.name = "console-openid-answer-max",
     .type = SETTING_SIZE,
     .offset = OF(openid_answer_max_bytes),
     .default_value = "256KiB",
     .min = 1024,
     .max = 16 * 1024 * 1024,
     .help = "Largest answer of the provider that is read; a larger one is none."},
    {.name = "console-openid-skew",
     .type = SETTING_DURATION,
     .offset = OF(openid_skew_ms),
     .default_value = "60s",
     .min = 0,
     .max = 10 * MINUTE_MS,
     .help = "By how much the provider's clock may differ from this machine's where it is about the times "
             "of an ID token."},
    {.name = "console-openid-cache",
     .type = SETTING_DURATION,
     .offset = OF(openid_kept_ms),
     .default_value = "1h",
     .min = 1000,
     .max = DAY_MS,
     .help = "How long the provider's discovery document and keys are kept."},
    {.name = "console-openid-retry",
     .type = SETTING_DURATION,
     .offset = OF(openid_retry_ms),
     .default_value = "10s",
     .min = 1,
     .max = DAY_MS,
     .help = "How soon a discovery document that could not be had, or keys because of one that is not among "
             "them, are asked for again."},
    {.name = "console-openid-lifetime",
     .type = SETTING_DURATION,
     .offset = OF(openid_lifetime_ms),
     .default_value = "10m",
     .min = 1000,
     .max = DAY_MS,
     .help = "How long somebody may take at the provider."},
    {.name = "console-openid-sign-ins-max",
     .type = SETTING_INTEGER,
     .offset = OF(openid_sign_ins_max),
     .default_value = "10000",
     .min = 1,
     .max = 1000000,
     .help = "Sign-ins by the provider within that time that are remembered, so that each works once; one "
             "more is refused."},
    {.name = "console-openid-tries",
     .type = SETTING_INTEGER,
     .offset = OF(openid_tries),
     .default_value = "40",
     .min = 1,
     .max = 1000000,
     .help = "Steps of sign-ins by the provider, of which each has two, from one address (IPv6: one /64) at "
             "once; one more is refused."},
    {.name = "console-openid-try-refill",
     .type = SETTING_DURATION,
     .offset = OF(openid_try_refill_ms),
     .default_value = "15s",
     .min = 1,
     .max = DAY_MS,
     .help = "How soon such an address may take one more of them."},
};
