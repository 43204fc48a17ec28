#include "common/app/mail_settings.h"

#include <stddef.h>

#include "common/mail/mailbox.h"

struct mail_settings mail_settings;

static const char *const tls_choices[] = {"auto", "required", "opportunistic", NULL};

static bool accept_mailbox(const char *text, const char **ret_reason) {
    struct mailbox mailbox;
    return mailbox_parse(bytes_of_text(text), &mailbox, ret_reason);
}

#define OF(member) offsetof(struct mail_settings, member)
#define YEAR_MS INT64_C(31536000000)

const struct setting mail_setting_table[] = {
    {.name = "smtp-url",
     .type = SETTING_TEXT,
     .offset = OF(smtp_url),
     .value_name = "URL",
     .help = "Mail server, smtp://USER@HOST:PORT with STARTTLS or smtps://USER@HOST:PORT. Unset: every mail "
             "fails, \"no mail server configured\". The password never stands here."},
    {.name = "smtp-password-file",
     .type = SETTING_TEXT,
     .offset = OF(smtp_password_file),
     .value_name = "FILE",
     .help = "The password of the user in --smtp-url, on the first line; read again for each connection."},
    {.name = "smtp-ca-file",
     .type = SETTING_TEXT,
     .offset = OF(smtp_ca_file),
     .value_name = "FILE",
     .help = "PEM file of those who vouch for the mail server's certificate. Unset: the system's."},
    {.name = "smtp-tls",
     .type = SETTING_CHOICE,
     .offset = OF(smtp_tls),
     .default_value = "auto",
     .choices = tls_choices,
     .help = "For smtp://: \"required\" refuses a server without STARTTLS or with a wrong certificate; "
             "\"opportunistic\" encrypts where it can and trusts anybody; \"auto\" is opportunistic on "
             "loopback and required elsewhere. smtps:// is always as strict as required."},
    {.name = "smtp-timeout",
     .type = SETTING_DURATION,
     .offset = OF(smtp_timeout_ms),
     .default_value = "30s",
     .min = 1000,
     .max = 600000,
     .help = "How long the sending of one mail may take, connecting included."},
    {.name = "mail-from",
     .type = SETTING_TEXT,
     .offset = OF(mail_from),
     .accept = accept_mailbox,
     .default_value = "Latchkey <latchkey@localhost>",
     .value_name = "ADDRESS",
     .help = "Who sends: an address, or NAME <ADDRESS>."},
    {.name = "mail-poll",
     .type = SETTING_DURATION,
     .offset = OF(mail_poll_ms),
     .default_value = "1s",
     .min = 10,
     .max = 600000,
     .help = "How often to look for mail to send."},
    {.name = "mail-retry-for",
     .type = SETTING_DURATION,
     .offset = OF(mail_retry_for_ms),
     .default_value = "24h",
     .min = 0,
     .max = YEAR_MS,
     .help = "How long a mail is tried again after passing failures, ever more seldom up to every 10 min."},
    {.name = "mails-per-company-hour",
     .type = SETTING_INTEGER,
     .offset = OF(company_hourly_max),
     .default_value = "500",
     .min = 1,
     .max = 1000000,
     .help = "Mails that the callers of one company may cause in an hour."},
    {.name = "mails-per-sender-day",
     .type = SETTING_INTEGER,
     .offset = OF(sender_daily_max),
     .default_value = "2000",
     .min = 1,
     .max = 1000000,
     .help = "Mails that callers of one company may cause in 24 hours from one address (IPv6: one /64)."},
    {.name = "mails-per-recipient-day",
     .type = SETTING_INTEGER,
     .offset = OF(recipient_daily_max),
     .default_value = "20",
     .min = 1,
     .max = 1000000,
     .help = "Mails to one address that the callers of one company may cause in 24 hours."},
};
const size_t mail_setting_count = ARRAY_LENGTH(mail_setting_table);
