// A mail as it goes over the wire (RFC 5322): headers and the same content twice, as text and as HTML, of
// which a reader shows the one that it likes (multipart/alternative).
#ifndef LATCHKEY_COMMON_MAIL_MESSAGE_H
#define LATCHKEY_COMMON_MAIL_MESSAGE_H

#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/mail/mailbox.h"

// What a mail says; UTF-8, borrowed.
struct mail_content {
    struct bytes subject;
    struct bytes text, html;
};

struct mail_message {
    // Names the mail: sent twice, it has the same Message-ID, by which servers and readers know the repeat.
    struct uuid mail_id;
    int64_t sent_at_ms;
    const struct mailbox *from;
    const char *to; // an address alone
    struct mail_content content;
};

// INVALID: `to` can't stand in a header. NO_MEMORY: `to_buffer` has failed.
MUST_CHECK enum status mail_message_write(const struct mail_message *message, struct buffer *to_buffer);

// A name that somebody chose, for a sentence of ours: with a space for each line break, control character and
// mark of direction, so that it can't begin lines or turn sentences that look like ours. In the arena; NULL
// when out of memory.
char *mail_make_one_line(const char *text, struct arena *arena);

// `text` within HTML, also within the quotes of an attribute.
void mail_append_html_text(struct buffer *to, struct bytes text);

#endif
