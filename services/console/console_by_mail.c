#include "services/console/console_by_mail.h"

#include "common/base/hex.h"
#include "common/base/random.h"
#include "common/ip/throttle.h"
#include "common/mail/mailbox.h"
#include "common/protobuf/json_heap.h"
#include "services/console/console_client.h"
#include "services/console/console_cookie.h"
#include "services/console/console_guard.h"
#include "services/console/console_json.h"
#include "services/console/console_link.h"
#include "services/console/console_login.h"
#include "services/console/console_mail.h"
#include "services/console/console_refusal.h"
#include "services/console/console_settings.h"

enum { BROWSER_BYTES = 16, ASKERS_MAX = 100000, MS_PER_SECOND = 1000 };

// Made by start().
static struct console_links *links;
static struct throttle *tries;
static const struct clock *time_source;

// ---- the body ----

static bool copy_text(const char *text, char *ret_copy, size_t size) {
    size_t len = strlen(text);
    if (len >= size)
        return false;
    memcpy(ret_copy, text, len + 1);
    return true;
}

static bool read_person(const json_t *body, struct console_person *ret_person) {
    const char *email = console_json_find_text(body, "email"),
               *company = console_json_find_text(body, "company");
    if (!*company)
        company = console_settings_get_company();
    return mailbox_is_address(bytes_of_text(email)) &&
           copy_text(email, ret_person->email, sizeof(ret_person->email)) &&
           copy_text(company, ret_person->company, sizeof(ret_person->company)) &&
           (!*company || metadata_value_is_sendable(bytes_of_text(company)));
}

// ---- asking for a link ----

// As the cookie says, so that two links that were asked for one after the other both work; else a new one.
static struct bytes choose_browser(const struct http_request *request, char text[2 * BROWSER_BYTES + 1]) {
    struct bytes known = console_cookie_find(&request->fields, CONSOLE_COOKIE_BROWSER);
    uint8_t random[BROWSER_BYTES];
    if (known.len == 2 * BROWSER_BYTES)
        return known;
    random_fill(random, sizeof(random));
    hex_format(bytes_of(random, sizeof(random)), text);
    return bytes_of(text, 2 * BROWSER_BYTES);
}

// NULL: it is on its way, or there is none to send.
static const struct console_refusal *begin(const struct http_request *request,
                                           const struct console_person *person, struct bytes browser) {
    struct ip_address asker = console_client_find_address(request);
    int64_t ignored;
    if (!throttle_take(tries, &asker, clock_get_monotonic_ns(time_source), &ignored))
        return &console_refusal_too_many;
    return console_mail_begin(request, person, browser, &asker) ? NULL : &console_refusal_unavailable;
}

static const struct console_refusal *ask(const struct http_request *request, struct bytes browser) {
    struct console_person person;
    json_t *body = json_heap_load_object(request->body);
    bool is_read = read_person(body, &person);
    json_decref(body);
    return is_read ? begin(request, &person, browser) : &console_refusal_malformed;
}

bool console_by_mail_ask(const struct http_request *request, struct local_request *call,
                         struct http_answer *answer) {
    (void)call;
    char text[2 * BROWSER_BYTES + 1];
    if (!console_guard_admits(request, answer))
        return false;
    if (!console_settings_has_mail()) {
        console_refuse(request, &console_refusal_way_off, answer);
        return false;
    }
    struct bytes browser = choose_browser(request, text);
    const struct console_refusal *refusal = ask(request, browser);
    if (refusal) {
        console_refuse(request, refusal, answer);
        return false;
    }
    console_cookie_set(request, answer, CONSOLE_COOKIE_BROWSER, browser,
                       console_settings.link_lifetime_ms / MS_PER_SECOND);
    http_answer_json(request, answer, 202, BYTES_LITERAL("{}"));
    return false;
}

// ---- using it ----

// What the person is told of is the list that does not have their address. Whatever else is wrong with them
// is as if the link were.
static void tell(const struct http_request *request, const struct console_login_result *result,
                 struct http_answer *answer) {
    switch (result->login) {
    case CONSOLE_LOGIN_MADE: http_answer_json(request, answer, 200, BYTES_LITERAL("{}")); break;
    case CONSOLE_LOGIN_REFUSED: console_refuse_address(request, result->reason, answer); break;
    case CONSOLE_LOGIN_NOBODY: console_refuse(request, &console_refusal_link_broken, answer); break;
    default: console_refuse(request, &console_refusal_unavailable, answer);
    }
}

static void sign_in(const struct http_request *request, struct bytes secret,
                    const struct console_person *person, struct http_answer *answer) {
    struct console_login_result result =
        console_login_make(request, person->company, json_pack("{s:s}", "email", person->email), answer);
    if (result.login != CONSOLE_LOGIN_MADE)
        console_links_give_back(links, secret);
    tell(request, &result, answer);
}

static void use(const struct http_request *request, struct bytes secret, struct http_answer *answer) {
    struct bytes browser = console_cookie_find(&request->fields, CONSOLE_COOKIE_BROWSER);
    struct console_person person;
    switch (console_links_take(links, secret, browser, clock_get_boottime_ns(time_source), &person)) {
    case CONSOLE_LINK_TAKEN: sign_in(request, secret, &person, answer); break;
    case CONSOLE_LINK_OF_OTHER_BROWSER:
        console_refuse(request, &console_refusal_other_browser, answer);
        break;
    default: console_refuse(request, &console_refusal_link_broken, answer);
    }
}

void console_by_mail_use_link(const struct http_request *request, struct http_answer *answer) {
    json_t *body = json_heap_load_object(request->body);
    const char *secret = console_json_find_text(body, "secret");
    if (*secret)
        use(request, bytes_of_text(secret), answer);
    else
        console_refuse(request, &console_refusal_malformed, answer);
    json_decref(body);
}

// ---- life ----

enum status console_by_mail_start(const struct clock *clock) {
    const struct console_links_options of_links = {.max = (size_t)console_settings.links_max,
                                                   .per_address = (size_t)console_settings.links_per_address,
                                                   .lifetime_ms = console_settings.link_lifetime_ms};
    const struct throttle_options of_tries = {.burst = console_settings.link_tries,
                                              .refill_ms = console_settings.link_try_refill_ms,
                                              .addresses_max = ASKERS_MAX};
    time_source = clock;
    enum status status = console_links_new(&of_links, &links);
    if (status == STATUS_OK)
        status = throttle_new(&of_tries, &tries);
    console_mail_start(links, clock);
    return status;
}

void console_by_mail_stop(void) {
    console_links_free(links);
    throttle_free(tries);
    links = NULL;
    tries = NULL;
}
