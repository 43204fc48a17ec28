// Sending mail to the one server that is configured, by libcurl: smtp:// with STARTTLS or smtps://, with or
// without a password. A session is one connection that is kept between mails; one thread at a time.
//
// What comes of a mail is one of three things, always with words for the administrator: the server's own
// where it spoke, else what went wrong on the way.
#ifndef LATCHKEY_COMMON_MAIL_SMTP_H
#define LATCHKEY_COMMON_MAIL_SMTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

struct smtp_server;
struct smtp_session;

enum smtp_tls {
    SMTP_TLS_AUTO,          // opportunistic on loopback, required elsewhere
    SMTP_TLS_REQUIRED,      // STARTTLS with a certificate that is vouched for, or nothing
    SMTP_TLS_OPPORTUNISTIC, // encrypted where the server can, whoever it is
};

struct smtp_options {
    const char *url;           // smtp://user@host:port or smtps://...; an @ in the user is typed %40
    const char *password_file; // NULL = none
    const char *ca_file;       // PEM; NULL = the system's
    enum smtp_tls tls;
    int64_t timeout_ms; // of one mail, connecting included
};

// Checks everything that can be known without connecting; copies. On INVALID a sentence that names the
// setting is in `ret_error`. Before the first threads: it also prepares libcurl.
MUST_CHECK enum status smtp_server_new(const struct smtp_options *options, char *ret_error, size_t error_size,
                                       struct smtp_server **ret_server);
void smtp_server_free(struct smtp_server *server); // takes NULL; after its sessions

enum smtp_outcome {
    SMTP_FAILED,  // not now: try this mail again
    SMTP_DOWN,    // not now, and no other mail either: no connection, no log-in, no answer
    SMTP_REFUSED, // never: the server refuses this mail for good
    SMTP_SENT,    // the server has taken it
};

#define SMTP_WORDS_MAX 500

struct smtp_result {
    enum smtp_outcome outcome;
    char words[SMTP_WORDS_MAX + 1]; // UTF-8 on one line
};

// Asked about once a second while a mail is on its way: true gives it up, unless it has been handed over and
// only the answer is missing. NULL = never.
typedef bool (*smtp_is_stopping)(void *context);

// Connects to nothing yet. Reads the password. INVALID: the file can't be read; NO_MEMORY.
MUST_CHECK enum status smtp_session_new(const struct smtp_server *server, smtp_is_stopping is_stopping,
                                        void *context, struct smtp_session **ret_session);
void smtp_session_free(struct smtp_session *session); // takes NULL

// Connects, encrypts and logs in as for a mail, and sends none. False where the server can't be had so:
// `ret_words` says why, UTF-8 on one line.
MUST_CHECK bool smtp_session_try(struct smtp_session *session, char ret_words[SMTP_WORDS_MAX + 1]);

// `from` and `to` are addresses alone that have passed mailbox_is_address(). `message` is as
// mail_message_write() writes it.
void smtp_session_send(struct smtp_session *session, const char *from, const char *to, struct bytes message,
                       struct smtp_result *ret_result);

#endif
