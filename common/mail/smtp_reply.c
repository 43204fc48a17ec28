#include "common/mail/smtp_reply.h"

enum {
    CODE_LENGTH = 3,
    CODE_GOODBYE = 221, // follows whatever ended the connection, and says nothing about it
};

size_t smtp_reply_clean(struct bytes text, char *ret_text, size_t size) {
    size_t len = 0;
    while (text.len > 0) {
        size_t measured = bytes_measure_code_point(text), taken = measured ? measured : 1;
        if (len + taken + 1 > size)
            break;
        if (measured > 1)
            memcpy(ret_text + len, text.data, taken);
        else
            ret_text[len] = measured == 0                                ? '?'
                            : text.data[0] < ' ' || text.data[0] == 0x7f ? ' '
                                                                         : (char)text.data[0];
        len += taken;
        text = bytes_of(text.data + taken, text.len - taken);
    }
    ret_text[len] = '\0';
    return len;
}

// 0 if the line is no reply.
static int parse_code(struct bytes line) {
    uint64_t code;
    if (line.len < CODE_LENGTH || !bytes_parse_unsigned(bytes_of(line.data, CODE_LENGTH), 999, &code))
        return 0;
    bool has_separator =
        line.len == CODE_LENGTH || line.data[CODE_LENGTH] == ' ' || line.data[CODE_LENGTH] == '-';
    return has_separator && code >= 200 ? (int)code : 0;
}

static struct bytes trim_end(struct bytes line) {
    while (line.len > 0 && (line.data[line.len - 1] == '\r' || line.data[line.len - 1] == '\n'))
        line.len--;
    return bytes_trim(line);
}

static void append(struct smtp_reply *reply, struct bytes text) {
    if (text.len == 0)
        return;
    if (reply->len > 0 && reply->len < SMTP_REPLY_TEXT_MAX)
        reply->text[reply->len++] = ' ';
    reply->len += smtp_reply_clean(text, reply->text + reply->len, sizeof(reply->text) - reply->len);
}

void smtp_reply_add_line(struct smtp_reply *reply, struct bytes line) {
    line = trim_end(line);
    int code = parse_code(line);
    if (code == 0 || code == CODE_GOODBYE)
        return;
    bool goes_on = line.len > CODE_LENGTH && line.data[CODE_LENGTH] == '-';
    if (!reply->is_partial) {
        *reply = (struct smtp_reply){.code = code};
        append(reply, bytes_of(line.data, CODE_LENGTH));
    }
    size_t head = line.len > CODE_LENGTH ? CODE_LENGTH + 1 : CODE_LENGTH;
    append(reply, bytes_of(line.data + head, line.len - head));
    reply->is_partial = goes_on;
}
