#include "services/console/console_by_openid.h"

#include <stdio.h>

#include "common/app/http_form.h"
#include "common/app/http_work.h"
#include "common/base/random.h"
#include "common/crypto/secret.h"
#include "common/ip/throttle.h"
#include "common/mail/mailbox.h"
#include "common/openid/openid_provider.h"
#include "common/openid/openid_url.h"
#include "common/protobuf/json_heap.h"
#include "services/console/console_client.h"
#include "services/console/console_cookie.h"
#include "services/console/console_flow.h"
#include "services/console/console_guard.h"
#include "services/console/console_json.h"
#include "services/console/console_login.h"
#include "services/console/console_refusal.h"
#include "services/console/console_settings.h"

enum { ASKERS_MAX = 100000, MS_PER_SECOND = 1000, BROWSER_LENGTH = BASE62_LENGTH_256 };

// Made by start().
static struct console_flows *flows;
static struct throttle *tries;
static struct openid_provider *provider;
static const struct clock *time_source;
static char redirect_uri[OPENID_URL_MAX + 1];

// ---- what anybody may ask for, and how often ----

static bool may_try(const struct http_request *request) {
    struct ip_address asker = console_client_find_address(request);
    int64_t ignored;
    return throttle_take(tries, &asker, clock_get_monotonic_ns(time_source), &ignored);
}

static bool is_stopping(void *door) {
    return http_door_is_stopping(door);
}

static struct openid_stop stop_of(const struct http_request *request) {
    return (struct openid_stop){is_stopping, request->door};
}

static struct openid_sign_in sign_in_of(const struct console_flow *flow) {
    return (struct openid_sign_in){.state = flow->state, .nonce = flow->nonce, .verifier = flow->verifier};
}

// ---- there ----

bool console_by_openid_ask(const struct http_request *request, struct local_request *call,
                           struct http_answer *answer) {
    (void)call;
    if (!console_guard_admits(request, answer))
        return false;
    if (provider && may_try(request))
        return true;
    console_refuse(request, provider ? &console_refusal_too_many_tries : &console_refusal_way_off, answer);
    return false;
}

// As the cookie says, so that a second window does not end what the first has begun; else a new one.
static struct bytes choose_browser(const struct http_request *request, char text[BROWSER_LENGTH]) {
    struct bytes known = console_cookie_find(&request->fields, CONSOLE_COOKIE_OPENID);
    uint8_t random[32];
    if (known.len == BROWSER_LENGTH)
        return known;
    random_fill(random, sizeof(random));
    base62_encode_256(random, text);
    secret_wipe(random, sizeof(random));
    return bytes_of(text, BROWSER_LENGTH);
}

static bool read_company(const struct http_request *request, char ret_company[CONSOLE_COMPANY_MAX + 1]) {
    json_t *body = json_heap_load_object(request->body);
    const char *company = console_json_find_text(body, "company");
    if (!*company)
        company = console_settings_get_company();
    size_t len = strlen(company);
    bool is_good = body && len <= CONSOLE_COMPANY_MAX &&
                   (!*company || metadata_value_is_sendable(bytes_of_text(company)));
    if (is_good)
        memcpy(ret_company, company, len + 1);
    json_decref(body);
    return is_good;
}

static void answer_location(const struct http_request *request, struct buffer *url,
                            struct http_answer *answer) {
    struct buffer json = {0};
    buffer_append_text(&json, "{\"location\":");
    buffer_append_json(&json, buffer_get_bytes(url));
    buffer_append_byte(&json, '}');
    const char *copy = json.failed ? NULL : arena_copy_bytes(request->arena, buffer_get_bytes(&json));
    if (copy)
        http_answer_json(request, answer, 200, bytes_of(copy, json.len));
    else
        console_refuse(request, &console_refusal_unavailable, answer);
    buffer_fini(&json);
}

static void lead_there(const struct http_request *request, const char *company, struct http_answer *answer) {
    char text[BROWSER_LENGTH];
    struct console_flow flow;
    struct buffer url = {0};
    struct bytes browser = choose_browser(request, text);
    struct openid_stop stop = stop_of(request);
    enum status status =
        console_flows_begin(flows, browser, company, clock_get_boottime_ns(time_source), &flow);
    const struct openid_sign_in sign_in = sign_in_of(&flow);
    if (status == STATUS_OK)
        status = openid_provider_write_url(provider, &sign_in, &stop, &url);
    if (status == STATUS_OK) {
        console_cookie_set_for_return(request, answer, CONSOLE_COOKIE_OPENID, browser,
                                      console_settings.openid_lifetime_ms / MS_PER_SECOND);
        answer_location(request, &url, answer);
    } else {
        console_refuse(request, &console_refusal_provider_unavailable, answer);
    }
    buffer_fini(&url);
    secret_wipe(&flow, sizeof(flow));
}

void console_by_openid_begin(const struct http_request *request, struct http_answer *answer) {
    char company[CONSOLE_COMPANY_MAX + 1];
    if (read_company(request, company))
        lead_there(request, company, answer);
    else
        console_refuse(request, &console_refusal_malformed, answer);
}

// ---- and back ----

// To a page of our own and nowhere else, whatever was asked.
static void lead(const struct http_request *request, const char *path, struct http_answer *answer) {
    answer->status = 303;
    http_answer_add(request, answer, "location", bytes_of_text(path));
}

// `reason` is a word of ours that the page knows.
static void turn_away(const struct http_request *request, const char *reason, struct http_answer *answer) {
    const char *path = arena_format(request->arena, "/sign-in?refused=%s", reason);
    lead(request, path ? path : "/sign-in", answer);
}

// why: else a page of anybody's could use up the tries of all who look at it, by pictures.
static bool is_embedded(const struct http_request *request) {
    const struct bytes name = BYTES_LITERAL("sec-fetch-dest");
    return metadata_find(request->fields.first, name) &&
           !bytes_is_text(http_request_find_only(request, "sec-fetch-dest"), "document");
}

bool console_by_openid_ask_back(const struct http_request *request, struct local_request *call,
                                struct http_answer *answer) {
    (void)call;
    if (!console_guard_admits_reading(request, answer))
        return false;
    if (is_embedded(request)) {
        turn_away(request, "SIGN_IN_OVER", answer);
        return false;
    }
    if (provider && may_try(request))
        return true;
    turn_away(request, provider ? "TOO_MANY_TRIES" : "WAY_OFF", answer);
    return false;
}

// What the provider had the browser bring. A field that is there twice makes all of it nothing.
struct returned {
    struct bytes state, code, issuer, error; // data NULL = not there
};

static bool keep(struct bytes name, struct bytes value, const char *wanted, struct bytes *kept) {
    if (!bytes_is_text(name, wanted))
        return true;
    if (kept->data)
        return false;
    *kept = value.data ? value : BYTES_LITERAL("");
    return true;
}

static bool read_returned(const struct http_request *request, struct returned *ret_returned) {
    struct http_form form;
    if (http_form_parse(request->query, request->arena, &form) != STATUS_OK)
        return false;
    for (size_t i = 0; i < form.count; i++) {
        struct bytes name = form.fields[i].name, value = form.fields[i].value;
        if (!keep(name, value, "state", &ret_returned->state) ||
            !keep(name, value, "code", &ret_returned->code) ||
            !keep(name, value, "iss", &ret_returned->issuer) ||
            !keep(name, value, "error", &ret_returned->error))
            return false;
    }
    return ret_returned->state.len > 0;
}

static bool is_code(struct bytes code) {
    for (size_t i = 0; i < code.len; i++)
        if (code.data[i] < ' ' || code.data[i] > '~')
            return false;
    return code.len > 0 && code.len <= OPENID_CODE_MAX;
}

// An address that the provider vouches for, and that can be a member's; else NULL.
static const char *find_email(const struct openid_identity *identity) {
    return mailbox_is_address(bytes_of_text(identity->email)) ? identity->email : NULL;
}

// Whom the member's issuer and subject name; where those are nobody's, whose address it is, unless that is
// somebody else at this issuer.
static struct console_login_result log_in(const struct http_request *request, const char *company,
                                          const struct openid_identity *identity,
                                          struct http_answer *answer) {
    const char *email = find_email(identity);
    struct console_login_result result =
        console_login_make(request, company,
                           json_pack("{s:s,s:s,s:s*}", "issuer", console_settings.openid_issuer, "subject",
                                     identity->subject, "email", email),
                           answer);
    bool is_unknown = result.login == CONSOLE_LOGIN_NOBODY && strcmp(result.reason, "MEMBER_NOT_FOUND") == 0;
    return is_unknown && !email ? (struct console_login_result){CONSOLE_LOGIN_NOBODY, "EMAIL_NOT_VERIFIED"}
                                : result;
}

static void tell(const struct http_request *request, const struct console_login_result *result,
                 struct http_answer *answer) {
    char client_ip[IP_ADDRESS_TEXT_MAX + 1];
    const char *path;
    switch (result->login) {
    case CONSOLE_LOGIN_MADE: lead(request, "/sign-in", answer); break;
    case CONSOLE_LOGIN_REFUSED:
        console_client_format_address(request, client_ip);
        path = arena_format(request->arena, "/sign-in?refused=%s&address=%s", result->reason, client_ip);
        lead(request, path ? path : "/sign-in", answer);
        break;
    case CONSOLE_LOGIN_NOBODY:
        turn_away(request,
                  strcmp(result->reason, "EMAIL_NOT_VERIFIED") == 0 ? result->reason : "MEMBER_NOT_FOUND",
                  answer);
        break;
    default: turn_away(request, "UNAVAILABLE", answer);
    }
}

static void redeem(const struct http_request *request, const struct console_flow *flow, struct bytes code,
                   struct http_answer *answer) {
    struct openid_identity identity;
    const struct openid_sign_in sign_in = sign_in_of(flow);
    struct openid_stop stop = stop_of(request);
    enum status status = openid_provider_redeem(provider, code, &sign_in, &stop, &identity);
    if (status != STATUS_OK) {
        turn_away(request, status == STATUS_UNAVAILABLE ? "PROVIDER_UNAVAILABLE" : "PROVIDER_REFUSED",
                  answer);
        return;
    }
    if (!console_flows_take(flows, flow, clock_get_boottime_ns(time_source))) {
        turn_away(request, "SIGN_IN_OVER", answer);
        return;
    }
    struct console_login_result result = log_in(request, flow->company, &identity, answer);
    tell(request, &result, answer);
}

static void go_on(const struct http_request *request, const struct returned *returned,
                  const struct console_flow *flow, struct http_answer *answer) {
    if (!openid_provider_is_issuer(provider, returned->issuer))
        turn_away(request, "PROVIDER_REFUSED", answer);
    else if (returned->error.data)
        turn_away(request,
                  bytes_is_text(returned->error, "access_denied") ? "PROVIDER_CANCELLED" : "PROVIDER_REFUSED",
                  answer);
    else if (!is_code(returned->code))
        turn_away(request, "PROVIDER_REFUSED", answer);
    else
        redeem(request, flow, returned->code, answer);
}

void console_by_openid_come_back(const struct http_request *request, struct http_answer *answer) {
    struct returned returned = {0};
    struct console_flow flow;
    struct bytes browser = console_cookie_find(&request->fields, CONSOLE_COOKIE_OPENID);
    if (!read_returned(request, &returned) ||
        !console_flows_find(flows, browser, returned.state, clock_get_boottime_ns(time_source), &flow)) {
        turn_away(request, "SIGN_IN_OVER", answer);
        return;
    }
    console_cookie_set_for_return(request, answer, CONSOLE_COOKIE_OPENID, BYTES_EMPTY, 0);
    go_on(request, &returned, &flow, answer);
    secret_wipe(&flow, sizeof(flow));
}

// ---- life ----

enum status console_by_openid_start(const struct clock *clock) {
    const struct throttle_options of_tries = {.burst = console_settings.openid_tries,
                                              .refill_ms = console_settings.openid_try_refill_ms,
                                              .addresses_max = ASKERS_MAX};
    const struct openid_options options = {.issuer = console_settings.openid_issuer,
                                           .client_id = console_settings.openid_client_id,
                                           .secret_file = console_settings.openid_client_secret_file,
                                           .ca_file = console_settings.openid_ca_file,
                                           .redirect_uri = redirect_uri,
                                           .timeout_ms = console_settings.openid_timeout_ms,
                                           .answer_max = (size_t)console_settings.openid_answer_max_bytes,
                                           .kept_ms = console_settings.openid_kept_ms,
                                           .retry_ms = console_settings.openid_retry_ms,
                                           .skew_ms = console_settings.openid_skew_ms,
                                           .clock = clock};
    time_source = clock;
    if (!console_settings_has_openid())
        return STATUS_OK;
    snprintf(redirect_uri, sizeof(redirect_uri), "%s%s", console_settings.url, CONSOLE_OPENID_CALLBACK);
    enum status status = console_flows_new((size_t)console_settings.openid_sign_ins_max,
                                           console_settings.openid_lifetime_ms, &flows);
    if (status == STATUS_OK)
        status = throttle_new(&of_tries, &tries);
    if (status == STATUS_OK)
        status = openid_provider_new(&options, &provider);
    return status;
}

void console_by_openid_stop(void) {
    openid_provider_free(provider);
    throttle_free(tries);
    console_flows_free(flows);
    provider = NULL;
    tries = NULL;
    flows = NULL;
}
