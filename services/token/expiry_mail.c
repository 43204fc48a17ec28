// What a notice of expiry says, as text and as HTML: which tokens, when each ends and when it was last used,
// so that its reader knows whether anything would stop.
#include <inttypes.h>
#include <time.h>

#include "common/base/buffer.h"
#include "common/base/clock.h"
#include "common/base/typeid.h"
#include "services/token/housekeeping.h"
#include "services/token/notice_store.h"

static const char advice[] =
    "Rotating a token gives it a new secret but no later end. Give it a later expiry, or make "
    "another in its place, before programs that use it are refused.";

static void append_time(struct buffer *to, int64_t ms) {
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc = {0};
    gmtime_r(&seconds, &utc);
    buffer_append_format(to, "%04d-%02d-%02d %02d:%02d UTC", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                         utc.tm_hour, utc.tm_min);
}

static void append_use(struct buffer *to, const struct notice_token *token) {
    if (token->last_used_at_ms == CLOCK_ALWAYS_MS) {
        buffer_append_text(to, "never used");
        return;
    }
    buffer_append_text(to, "last used ");
    append_time(to, token->last_used_at_ms);
}

static void append_ends(struct buffer *to, const struct notice_token *token) {
    buffer_append_format(to, " (%s): expires ", typeid_of(TYPEID_TOKEN, token->token_id).text);
    append_time(to, token->expires_at_ms);
    buffer_append_text(to, ", ");
    append_use(to, token);
}

static void write_subject(struct buffer *to, const struct notice *notice) {
    if (notice->total > 1) {
        buffer_append_format(to, "%" PRId64 " access tokens of %s expire soon", notice->total,
                             notice->company);
        return;
    }
    buffer_append_format(to, "Access token \"%s\" of %s expires ", notice->tokens[0].label, notice->company);
    append_time(to, notice->tokens[0].expires_at_ms);
}

static void write_text(struct buffer *to, const struct notice *notice) {
    buffer_append_format(to, "Access tokens of %s that expire soon:\n\n", notice->company);
    for (size_t i = 0; i < notice->token_count; i++) {
        buffer_append_format(to, "- %s", notice->tokens[i].label);
        append_ends(to, &notice->tokens[i]);
        buffer_append_text(to, "\n");
    }
    int64_t unnamed = notice->total - (int64_t)notice->token_count;
    if (unnamed > 0)
        buffer_append_format(to, "- and %" PRId64 " more\n", unnamed);
    buffer_append_format(to, "\n%s\n", advice);
}

static void write_html(struct buffer *to, const struct notice *notice) {
    buffer_append_text(to, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                           "<title>Access tokens expire</title></head><body>\n<p>Access tokens of <strong>");
    mail_append_html_text(to, bytes_of_text(notice->company));
    buffer_append_text(to, "</strong> that expire soon:</p>\n<ul>\n");
    for (size_t i = 0; i < notice->token_count; i++) {
        buffer_append_text(to, "<li><strong>");
        mail_append_html_text(to, bytes_of_text(notice->tokens[i].label));
        buffer_append_text(to, "</strong>");
        append_ends(to, &notice->tokens[i]);
        buffer_append_text(to, "</li>\n");
    }
    int64_t unnamed = notice->total - (int64_t)notice->token_count;
    if (unnamed > 0)
        buffer_append_format(to, "<li>and %" PRId64 " more</li>\n", unnamed);
    buffer_append_format(to, "</ul>\n<p>%s</p>\n</body></html>\n", advice);
}

// A part of the content, written and moved to the arena. Data NULL when out of memory.
static struct bytes make(void (*write)(struct buffer *to, const struct notice *notice),
                         const struct notice *notice, struct arena *arena) {
    struct buffer buffer = {0};
    write(&buffer, notice);
    struct bytes written = buffer_get_bytes(&buffer);
    const char *copy = buffer.failed ? NULL : arena_copy_bytes(arena, written);
    size_t len = written.len;
    buffer_fini(&buffer);
    return bytes_of(copy, copy ? len : 0);
}

static bool make_names_one_line(struct notice *notice, struct arena *arena) {
    notice->company = mail_make_one_line(notice->company, arena);
    bool is_made = notice->company != NULL;
    for (size_t i = 0; i < notice->token_count && is_made; i++) {
        notice->tokens[i].label = mail_make_one_line(notice->tokens[i].label, arena);
        is_made = notice->tokens[i].label != NULL;
    }
    return is_made;
}

enum status expiry_mail_render(struct app_call *call, const struct outbox_mail *mail,
                               struct mail_content *ret_content) {
    struct notice notice;
    enum status status = notice_store_read(call, mail->object_id, mail->recipient, &notice);
    if (status != STATUS_OK || notice.total == 0)
        return status;
    if (!make_names_one_line(&notice, call->arena))
        return STATUS_NO_MEMORY;
    *ret_content = (struct mail_content){.subject = make(write_subject, &notice, call->arena),
                                         .text = make(write_text, &notice, call->arena),
                                         .html = make(write_html, &notice, call->arena)};
    bool is_made = ret_content->subject.data && ret_content->text.data && ret_content->html.data;
    return is_made ? STATUS_OK : STATUS_NO_MEMORY;
}
