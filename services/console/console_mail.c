#include "services/console/console_mail.h"

#include <stdlib.h>

#include "common/app/http_work.h"
#include "common/app/mailer.h"
#include "common/base/buffer.h"
#include "common/base/log.h"
#include "common/base/time_text.h"
#include "common/crypto/secret.h"
#include "common/ip/address.h"
#include "common/mail/message.h"
#include "services/console/console_call.h"
#include "services/console/console_settings.h"

enum { ARENA_BYTES_MAX = 1024 * 1024, BROWSER_MAX = 64, SHARE = 1 };

// Const once the door is open.
static struct console_links *links;
static const struct clock *time_source;

struct errand {
    struct http_work work;
    struct console_person person;
    char browser[BROWSER_MAX + 1];
    struct ip_address asker;
    char client_ip[IP_ADDRESS_TEXT_MAX + 1]; // the same as text
    struct arena arena;
};

void console_mail_start(struct console_links *the_links, const struct clock *clock) {
    links = the_links;
    time_source = clock;
}

// ---- what it says ----

#define INTRODUCTION "Somebody at %s, we hope you, wants to sign in to Latchkey as %s. This link does it:"
#define WARNING                                                                                           \
    "It works once, within %s, in the browser in which it was asked for. If that was not you, leave it: " \
    "nobody can sign in without it."

static void append_paragraph(struct buffer *html, const char *text) {
    buffer_append_text(html, "<p>");
    mail_append_html_text(html, bytes_of_text(text));
    buffer_append_text(html, "</p>\n");
}

static void write_html(struct buffer *html, const char *introduction, const char *link, const char *warning) {
    buffer_append_text(html, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                             "<title>Sign in to Latchkey</title></head><body>\n");
    append_paragraph(html, introduction);
    buffer_append_text(html, "<p><a href=\"");
    mail_append_html_text(html, bytes_of_text(link));
    buffer_append_text(html, "\">Sign in</a></p>\n");
    append_paragraph(html, warning);
    buffer_append_text(html, "</body></html>\n");
}

static bool write_mail(struct errand *errand, const char *secret, struct buffer *html,
                       struct mail_content *ret_content) {
    char lifetime[TIME_TEXT_SPAN_MAX + 1];
    struct arena *arena = &errand->arena;
    time_text_format_span(console_settings.link_lifetime_ms, lifetime);
    const char *introduction = arena_format(arena, INTRODUCTION, errand->client_ip, errand->person.email);
    const char *warning = arena_format(arena, WARNING, lifetime);
    const char *link = arena_format(arena, "%s/sign-in/link#%s", console_settings.url, secret);
    const char *text = introduction && warning && link
                           ? arena_format(arena, "%s\n\n%s\n\n%s\n", introduction, link, warning)
                           : NULL;
    if (!text)
        return false;
    write_html(html, introduction, link, warning);
    *ret_content = (struct mail_content){BYTES_LITERAL("Sign in to Latchkey"), bytes_of_text(text),
                                         buffer_get_bytes(html)};
    return !html->failed;
}

// ---- sending ----

static bool is_stopping(void *door) {
    return http_door_is_stopping(door);
}

static void hand_over(struct errand *errand, struct bytes message, struct smtp_result *ret_result) {
    struct smtp_session *session;
    *ret_result = (struct smtp_result){.words = "the mail server's settings can't be used now"};
    if (smtp_session_new(mailer_get_server(), is_stopping, errand->work.door, &session) != STATUS_OK)
        return;
    smtp_session_send(session, mailer_get_sender()->address, errand->person.email, message, ret_result);
    smtp_session_free(session);
}

static void send_link(struct errand *errand, const char *secret) {
    struct buffer html = {0}, whole = {0};
    struct smtp_result result = {.words = "out of memory"};
    struct mail_message message = {.mail_id = uuid_new(time_source),
                                   .sent_at_ms = clock_get_realtime_ms(time_source),
                                   .from = mailer_get_sender(),
                                   .to = errand->person.email};
    if (write_mail(errand, secret, &html, &message.content) &&
        mail_message_write(&message, &whole) == STATUS_OK)
        hand_over(errand, buffer_get_bytes(&whole), &result);
    bool is_sent = result.outcome == SMTP_SENT;
    log_event(is_sent ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING,
              is_sent ? "link for signing in sent" : "link for signing in not sent",
              LOG_TEXT("address", errand->client_ip), LOG_TEXT("words", result.words));
    buffer_fini(&html);
    buffer_fini(&whole);
}

// ---- whether to ----

// From another address the list may let them in: that is asked again when the link is used.
static bool is_member(const struct console_reply *reply) {
    return reply->status == 200 || strcmp(reply->reason, "COMPANY_IP_NOT_LISTED") == 0 ||
           strcmp(reply->reason, "MEMBER_IP_NOT_LISTED") == 0;
}

static bool is_told(const struct console_reply *reply) {
    return reply->status < 500 && reply->status != 401 && strcmp(reply->reason, "PERMISSION_MISSING") != 0;
}

static bool ask_for_member(struct errand *errand) {
    struct console_reply reply;
    json_t *message = json_pack("{s:s,s:s,s:b}", "email", errand->person.email, "clientIp", errand->client_ip,
                                "validateOnly", 1);
    console_call_as_console(errand->work.door, &errand->arena, "TokenService/CreateLoginToken",
                            errand->person.company, message, &reply);
    bool is_there = is_member(&reply);
    if (!is_there && !is_told(&reply))
        log_event(LOG_LEVEL_WARNING, "the console can't ask for members", LOG_INTEGER("status", reply.status),
                  LOG_TEXT("reason", reply.reason));
    console_reply_fini(&reply);
    return is_there;
}

static void on_turn(struct http_work *work) {
    struct errand *errand = CONTAINER_OF(work, struct errand, work);
    char secret[CONSOLE_LINK_SECRET_LENGTH + 1];
    arena_init(&errand->arena, ARENA_BYTES_MAX);
    if (ask_for_member(errand)) {
        if (console_links_add(links, &errand->person, &errand->asker, bytes_of_text(errand->browser),
                              clock_get_boottime_ns(time_source), secret) == STATUS_OK)
            send_link(errand, secret);
        else
            log_event(LOG_LEVEL_WARNING, "too many links for signing in",
                      LOG_TEXT("address", errand->client_ip));
        secret_wipe(secret, sizeof(secret));
    }
    arena_fini(&errand->arena);
    free(errand);
}

bool console_mail_begin(const struct http_request *request, const struct console_person *person,
                        struct bytes browser, const struct ip_address *asker) {
    struct errand *errand = calloc(1, sizeof(*errand));
    if (!errand)
        return false;
    errand->work = (struct http_work){.run = on_turn, .share = SHARE};
    errand->person = *person;
    memcpy(errand->browser, browser.data, browser.len < BROWSER_MAX ? browser.len : BROWSER_MAX);
    errand->asker = *asker;
    if (asker->family != IP_FAMILY_NONE)
        ip_address_format(asker, errand->client_ip);
    if (http_work_begin(request->door, &errand->work))
        return true;
    free(errand);
    return false;
}
