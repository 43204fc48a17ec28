#include "services/invitation/invitation_mail.h"

#include <stdio.h>
#include <time.h>

#include "common/app/app.h"
#include "common/crypto/secret.h"
#include "services/invitation/invitation_settings.h"
#include "services/invitation/invitation_store.h"

enum { GENERATION_TEXT_SIZE = 12 };

static const char text_form[] = "You are invited to join %s.\n\n"
                                "Open this link to accept. It works once, until %s:\n\n"
                                "%s\n\n"
                                "If you did not expect this invitation, you need not do anything.\n";

static const char html_form[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Invitation</title></head><body>\n"
    "<p>You are invited to join <strong>%s</strong>.</p>\n"
    "<p><a href=\"%s\">Accept the invitation</a></p>\n"
    "<p>The link works once, until %s.</p>\n"
    "<p>If you did not expect this invitation, you need not do anything.</p>\n"
    "</body></html>\n";

struct outbox_item invitation_mail_of(const struct invitation *invitation, struct arena *arena) {
    return (struct outbox_item){.kind = INVITATION_MAIL_KIND,
                                .object_id = invitation->invitation_id,
                                .recipient = invitation->email,
                                .detail = arena_format(arena, "%d", invitation->generation)};
}

// ---- content ----

static char *format_end(int64_t ms, struct arena *arena) {
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc = {0};
    gmtime_r(&seconds, &utc);
    return arena_format(arena, "%04d-%02d-%02d %02d:%02d UTC", utc.tm_year + 1900, utc.tm_mon + 1,
                        utc.tm_mday, utc.tm_hour, utc.tm_min);
}

static char *escape_html(const char *text, struct arena *arena) {
    struct buffer escaped = {0};
    mail_append_html_text(&escaped, bytes_of_text(text));
    char *copy = escaped.failed ? NULL : arena_copy_bytes(arena, buffer_get_bytes(&escaped));
    buffer_fini(&escaped);
    return copy;
}

// The link is no longer than it is safe to show in HTML: the setting refuses what would have to be escaped,
// but for &.
static enum status write_content(struct app_call *call, const char *company, const char *link, int64_t end_ms,
                                 struct mail_content *ret_content) {
    struct arena *arena = call->arena;
    const char *end = format_end(end_ms, arena);
    const char *company_html = escape_html(company, arena), *link_html = escape_html(link, arena);
    if (!end || !company_html || !link_html)
        return STATUS_NO_MEMORY;
    const char *subject = arena_format(arena, "Invitation to join %s", company);
    const char *text = arena_format(arena, text_form, company, end, link);
    const char *html = arena_format(arena, html_form, company_html, link_html, end);
    secret_wipe((char *)link_html, strlen(link_html));
    if (!subject || !text || !html)
        return STATUS_NO_MEMORY;
    *ret_content = (struct mail_content){bytes_of_text(subject), bytes_of_text(text), bytes_of_text(html)};
    return STATUS_OK;
}

// The digest is committed before the link leaves: a link that arrives works.
static enum status mint_link(struct app_call *call, const struct invitation *invitation, const char *company,
                             struct mail_content *ret_content) {
    struct secret secret;
    struct digest digest;
    secret_new(app_get_settings(call->app)->brand, SECRET_INVITATION, call->lane, &secret);
    digest_sha256(bytes_of(secret.text, SECRET_LENGTH), &digest);
    enum status status = invitation_store_add_secret(call, invitation, &digest);
    char *link = arena_format(call->arena, "%s#%s", invitation_settings.url, secret.text);
    if (status == STATUS_OK)
        status = link ? write_content(call, company, link, invitation->expires_at_ms, ret_content)
                      : STATUS_NO_MEMORY;
    if (link)
        secret_wipe(link, strlen(link));
    secret_wipe(&secret, sizeof(secret));
    return status;
}

static bool is_current(const struct invitation *invitation, const struct outbox_mail *mail) {
    char generation[GENERATION_TEXT_SIZE];
    snprintf(generation, sizeof(generation), "%d", invitation->generation);
    return invitation->state == INVITATION_PENDING && bytes_is_text(bytes_of_text(mail->detail), generation);
}

enum status invitation_mail_render(struct app_call *call, const struct outbox_mail *mail,
                                   struct mail_content *ret_content) {
    struct invitation *invitation;
    const char *company;
    enum status status = invitation_store_lock(call, mail->object_id, &invitation);
    if (status == STATUS_OK)
        status = invitation_store_find_company_name(call, &company);
    if (status != STATUS_OK || !company || !is_current(invitation, mail))
        return status;
    company = mail_make_one_line(company, call->arena);
    return company ? mint_link(call, invitation, company, ret_content) : STATUS_NO_MEMORY;
}
