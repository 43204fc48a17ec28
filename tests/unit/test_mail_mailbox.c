// Senders and recipients: what may stand in a command and a header, and how names are typed.
#include "common/mail/mailbox.h"
#include "tests/unit/unit.h"

static const struct {
    const char *text, *name, *address; // NULL = refused
} mailboxes[] = {
    {"ada@example.com", "", "ada@example.com"},
    {"  ada@example.com ", "", "ada@example.com"},
    {"<ada@example.com>", "", "ada@example.com"},
    {"Ada <ada@example.com>", "Ada", "ada@example.com"},
    {"\"Ada, of Example\" <ada+x@example.com>", "Ada, of Example", "ada+x@example.com"},
    {"\xC3\x89mile <e@example.com>", "\xC3\x89mile", "e@example.com"},
    {"latchkey@localhost", "", "latchkey@localhost"},
    {"", NULL, NULL},
    {"ada", NULL, NULL},
    {"@example.com", NULL, NULL},
    {"ada@", NULL, NULL},
    {"a@b@c", NULL, NULL},
    {"ada@example.com, eva@example.com", NULL, NULL},
    {"Ada <ada@example.com", NULL, NULL},
    {"Ada <ada@example.com> x", NULL, NULL},
    {"Ada <>", NULL, NULL},
    {"ada lovelace@example.com", NULL, NULL},
    {"ada@example.com\r\nBcc: eva@example.com", NULL, NULL},
    {"Ada\r\nBcc: eva@example.com <ada@example.com>", NULL, NULL},
    {"Ada\x7f <ada@example.com>", NULL, NULL},
    {"\xFF <ada@example.com>", NULL, NULL},
    {"ad\xC3\xA9@example.com", NULL, NULL},
    {"\"ada\"@example.com", NULL, NULL},
    {"ada@[192.0.2.1]", NULL, NULL},
};

static void mailboxes_are_read_as_they_are_typed_or_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(mailboxes); i++) {
        struct mailbox mailbox = {.name = "untouched"};
        const char *reason = "";
        bool is_read = mailbox_parse(bytes_of_text(mailboxes[i].text), &mailbox, &reason);
        assert_int_equal(is_read, mailboxes[i].address != NULL);
        assert_string_equal(mailbox.name, is_read ? mailboxes[i].name : "untouched");
        if (is_read)
            assert_string_equal(mailbox.address, mailboxes[i].address);
        else
            assert_memory_equal(reason, "type ", 5);
    }
}

static void lengths_are_bounded(void **state) {
    (void)state;
    char text[600];
    const char *reason;
    struct mailbox mailbox;
    for (size_t len = 250; len <= 258; len++) {
        memset(text, 'a', len);
        text[1] = '@';
        assert_int_equal(mailbox_is_address(bytes_of(text, len)), len <= MAILBOX_ADDRESS_MAX);
    }
    for (size_t len = 198; len <= 202; len++) {
        memset(text, 'a', len);
        memcpy(text + len, "<a@b>", 5);
        assert_int_equal(mailbox_parse(bytes_of(text, len + 5), &mailbox, &reason), len <= MAILBOX_NAME_MAX);
    }
}

static void the_domain_stands_behind_the_at(void **state) {
    (void)state;
    struct mailbox mailbox = {.address = "ada@example.com"};
    assert_string_equal(mailbox_get_domain(&mailbox), "example.com");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mailboxes_are_read_as_they_are_typed_or_refused),
        cmocka_unit_test(lengths_are_bounded),
        cmocka_unit_test(the_domain_stands_behind_the_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
