#include "services/console/console_settings.h"

#include <stddef.h>
#include <string.h>

#include "common/app/http_settings.h"

struct console_settings console_settings;

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

// ---- the table ----

#define OF(member) offsetof(struct console_settings, member)
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
     .value_name = "COMPANY",
     .help = "The company that people log in to who name none: its ID or external ID. Unset: the company of "
             "the console's token."},
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
};
