#include "services/cli/doctor_mail.h"

#include "common/app/mail_settings.h"
#include "common/mail/smtp.h"

enum { ERROR_MAX = 512 };

#define THING "mail server"

static void try(struct doctor *doctor, const struct smtp_server *server) {
    struct smtp_session *session;
    char words[SMTP_WORDS_MAX + 1];
    enum status status = smtp_session_new(server, NULL, NULL, &session);
    if (status != STATUS_OK) {
        doctor_tell(doctor, VERDICT_FAIL, THING, "see --smtp-password-file",
                    "the file of the password can't be read");
        return;
    }
    if (smtp_session_try(session, words))
        doctor_tell(doctor, VERDICT_OK, THING, NULL, "%s lets us in", mail_settings.smtp_url);
    else
        doctor_tell(doctor, VERDICT_FAIL, THING, "see --smtp-url, --smtp-tls and --smtp-password-file",
                    "%s does not take us: %s", mail_settings.smtp_url, words);
    smtp_session_free(session);
}

void doctor_mail_look(struct doctor *doctor) {
    char error[ERROR_MAX];
    if (!mail_settings.smtp_url || !*mail_settings.smtp_url) {
        doctor_tell(doctor, VERDICT_OK, THING, NULL, "these settings name none: no mail is sent");
        return;
    }
    const struct smtp_options options = {.url = mail_settings.smtp_url,
                                         .password_file = mail_settings.smtp_password_file,
                                         .ca_file = mail_settings.smtp_ca_file,
                                         .tls = (enum smtp_tls)mail_settings.smtp_tls,
                                         .timeout_ms = mail_settings.smtp_timeout_ms};
    struct smtp_server *server;
    if (smtp_server_new(&options, error, sizeof(error), &server) != STATUS_OK) {
        doctor_tell(doctor, VERDICT_FAIL, THING, NULL, "%s", error);
        return;
    }
    try(doctor, server);
    smtp_server_free(server);
}
