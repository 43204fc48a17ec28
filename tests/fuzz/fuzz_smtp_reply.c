// Any lines as what a mail server says: what is kept is one line of UTF-8 without controls that fits, and the
// same whether the lines come with their ends or without.
#include <assert.h>
#include <string.h>

#include "common/mail/smtp_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct smtp_reply *reply) {
    struct bytes text = bytes_of_text(reply->text);
    assert(text.len == reply->len && text.len <= SMTP_REPLY_TEXT_MAX && bytes_is_utf8(text));
    assert((reply->code == 0) == (text.len == 0));
    assert(reply->code == 0 || (reply->code >= 200 && reply->code <= 999));
    for (size_t i = 0; i < text.len; i++)
        assert(text.data[i] >= ' ' && text.data[i] != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct smtp_reply whole = {0}, trimmed = {0};
    struct bytes rest = bytes_of(data, size);
    while (rest.len > 0) {
        struct bytes before = rest, line = bytes_split(&rest, '\n');
        bool has_end = line.len < before.len;
        smtp_reply_add_line(&whole, bytes_of(line.data, line.len + has_end));
        smtp_reply_add_line(&trimmed, line);
        check(&whole);
    }
    assert(whole.code == trimmed.code && strcmp(whole.text, trimmed.text) == 0);
    return 0;
}
