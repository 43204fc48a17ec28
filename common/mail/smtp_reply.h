// What a mail server says, gathered line by line as libcurl hands it over: the last whole reply is kept, its
// lines joined, cleaned for a log and a page.
#ifndef LATCHKEY_COMMON_MAIL_SMTP_REPLY_H
#define LATCHKEY_COMMON_MAIL_SMTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/bytes.h"

#define SMTP_REPLY_TEXT_MAX 500

// Zeroed is none yet.
struct smtp_reply {
    int code;        // of the last whole reply; 0 = none
    bool is_partial; // more lines of it are to come
    size_t len;
    char text[SMTP_REPLY_TEXT_MAX + 1]; // "550 5.1.1 no such user"; cut at the end of a character
};

// One line, with or without its end. What is no reply is passed over.
void smtp_reply_add_line(struct smtp_reply *reply, struct bytes line);

// Copies `text` as words that may be shown anywhere: controls become spaces, bytes that are no UTF-8 question
// marks; cut to what fits. Returns the length.
size_t smtp_reply_clean(struct bytes text, char *ret_text, size_t size);

#endif
