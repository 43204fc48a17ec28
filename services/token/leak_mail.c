#include "services/token/leak_mail.h"

#include "common/base/buffer.h"
#include "common/base/typeid.h"

// The mail's detail: the outcome's word, a space, the secret's hint.
enum status leak_mail_add(struct app_call *call, struct uuid token_id, const struct leak *leak,
                          enum leak_outcome outcome) {
    const char *detail = arena_format(call->arena, "%s %s", leak_outcome_get_word(outcome), leak->hint);
    if (!detail)
        return fault_set_no_memory(call->fault);
    for (size_t i = 0; i < leak->email_count; i++) {
        struct outbox_item item = {
            .kind = LEAK_MAIL_KIND, .object_id = token_id, .recipient = leak->emails[i], .detail = detail};
        enum status status = outbox_add(call, &item);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static const char *describe_outcome(struct bytes word) {
    if (bytes_is_text(word, "deactivated"))
        return "It has been deactivated for good. If something of yours still uses it, create a new one.";
    if (bytes_is_text(word, "suspended"))
        return "It has been suspended. Rotate its secret and resume it, or deactivate it.";
    return "It still works, as the company's policy says, unless a rotation had replaced the secret already. "
           "Rotate or deactivate it now.";
}

static bool append_html(struct buffer *html, const char *text) {
    buffer_append_text(html, "<p>");
    mail_append_html_text(html, bytes_of_text(text));
    buffer_append_text(html, "</p>\n");
    return !html->failed;
}

static bool write_html(struct arena *arena, const char *found, const char *outcome, struct bytes *ret_html) {
    struct buffer html = {0};
    buffer_append_text(&html, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                              "<title>Leaked secret</title></head><body>\n");
    bool is_written = append_html(&html, found) && append_html(&html, outcome);
    buffer_append_text(&html, "</body></html>\n");
    struct bytes whole = buffer_get_bytes(&html);
    char *copy = is_written && !html.failed ? arena_copy_bytes(arena, whole) : NULL;
    *ret_html = bytes_of(copy, whole.len);
    buffer_fini(&html);
    return copy != NULL;
}

enum status leak_mail_render(struct app_call *call, const struct outbox_mail *mail,
                             struct mail_content *ret_content) {
    struct leak_letter letter;
    bool is_there;
    enum status status = leak_store_read_letter(call, mail->object_id, &is_there, &letter);
    if (status != STATUS_OK || !is_there)
        return status;
    struct bytes hint = bytes_of_text(mail->detail);
    const char *outcome = describe_outcome(bytes_split(&hint, ' '));
    const char *company = mail_make_one_line(letter.company, call->arena);
    const char *label = mail_make_one_line(letter.label, call->arena);
    if (!company || !label)
        return fault_set_no_memory(call->fault);
    const char *name = *label ? label : "a log-in of yours";
    const char *found =
        arena_format(call->arena,
                     "The secret %.*s of %s (%s) at %s was reported to us as found where it "
                     "should not be.",
                     BYTES_FORMAT(hint), name, typeid_of(TYPEID_TOKEN, mail->object_id).text, company);
    const char *subject = arena_format(call->arena, "Leaked: a secret of %s", name);
    const char *text = found ? arena_format(call->arena, "%s\n\n%s\n", found, outcome) : NULL;
    struct bytes html;
    if (!subject || !text || !write_html(call->arena, found, outcome, &html))
        return fault_set_no_memory(call->fault);
    *ret_content = (struct mail_content){bytes_of_text(subject), bytes_of_text(text), html};
    return STATUS_OK;
}
