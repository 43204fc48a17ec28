#include "common/mail/message.h"

#include <time.h>

#include "common/mail/mime.h"

#define EOL "\r\n"
// Quoted-printable never has = before anything but two digits or the end of a line.
#define BOUNDARY "=_latchkey"

// Not strftime(): the names must be English in any locale.
static void append_date(struct buffer *to, int64_t ms) {
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc = {0};
    gmtime_r(&seconds, &utc);
    buffer_append_format(to, "Date: %s, %d %s %d %02d:%02d:%02d +0000" EOL, days[utc.tm_wday], utc.tm_mday,
                         months[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

static void append_part(struct buffer *to, const char *type, struct bytes body) {
    buffer_append_format(to,
                         "--" BOUNDARY EOL "Content-Type: %s; charset=utf-8" EOL
                         "Content-Transfer-Encoding: quoted-printable" EOL EOL,
                         type);
    mime_append_quoted_printable(to, body);
    buffer_append_text(to, EOL);
}

enum status mail_message_write(const struct mail_message *message, struct buffer *to_buffer) {
    char id[UUID_TEXT_LENGTH + 1];
    if (!mailbox_is_address(bytes_of_text(message->to)))
        return STATUS_INVALID;
    uuid_format(message->mail_id, id);
    append_date(to_buffer, message->sent_at_ms);
    mime_append_address_header(to_buffer, "From", bytes_of_text(message->from->name), message->from->address);
    mime_append_address_header(to_buffer, "To", BYTES_EMPTY, message->to);
    mime_append_text_header(to_buffer, "Subject", message->content.subject);
    buffer_append_format(to_buffer,
                         "Message-ID: <%s@%s>" EOL "Auto-Submitted: auto-generated" EOL
                         "MIME-Version: 1.0" EOL "Content-Type: multipart/alternative; boundary=\"" BOUNDARY
                         "\"" EOL EOL,
                         id, mailbox_get_domain(message->from));
    append_part(to_buffer, "text/plain", message->content.text);
    append_part(to_buffer, "text/html", message->content.html);
    buffer_append_text(to_buffer, "--" BOUNDARY "--" EOL);
    return to_buffer->failed ? STATUS_NO_MEMORY : STATUS_OK;
}

static const char *find_entity(uint8_t byte) {
    switch (byte) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

// Behind 0xE2: U+200E and U+200F, U+2028 to U+202E, U+2066 to U+2069.
static bool is_separator_or_mark(uint8_t second, uint8_t third) {
    if (second == 0x80)
        return third == 0x8e || third == 0x8f || (third >= 0xa8 && third <= 0xae);
    return second == 0x81 && third >= 0xa6 && third <= 0xa9;
}

// How many bytes at `at` are one character that breaks a line or turns its direction: ASCII's controls, the
// same behind 0xC2 (U+0080 to U+009F), the separators of lines and paragraphs, and the marks of writing from
// right to left. 0 = it is another.
static size_t measure_control(const uint8_t *at) {
    if (*at < ' ' || *at == 0x7f)
        return 1;
    if (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0)
        return 2;
    return at[0] == 0xe2 && at[1] && is_separator_or_mark(at[1], at[2]) ? 3 : 0;
}

char *mail_make_one_line(const char *text, struct arena *arena) {
    char *line = arena_copy_text(arena, text);
    if (!line)
        return NULL;
    char *to = line;
    for (const uint8_t *from = (const uint8_t *)line; *from;) {
        size_t control = measure_control(from);
        *to++ = control ? ' ' : (char)*from;
        from += control ? control : 1;
    }
    *to = '\0';
    return line;
}

void mail_append_html_text(struct buffer *to, struct bytes text) {
    for (size_t i = 0; i < text.len; i++) {
        const char *entity = find_entity(text.data[i]);
        if (entity)
            buffer_append_text(to, entity);
        else
            buffer_append_byte(to, text.data[i]);
    }
}
