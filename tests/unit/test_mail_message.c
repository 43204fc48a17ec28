// What a mail looks like on the wire: headers that nothing can break, bodies that come back as they were.
#include "common/mail/message.h"
#include "common/mail/mime.h"
#include "tests/unit/plain_mail.h"
#include "tests/unit/unit.h"

static const struct mailbox sender = {"Latchkey", "latchkey@example.com"};

static struct mail_message make_message(const char *subject, const char *text) {
    return (struct mail_message){
        .mail_id = {{0x01, 0x92, 0xf5, 0xc8, 0x7e, 0x4a, 0x7b, 0x3c, 0x9d, 0x2e, 0x1f, 0x0a, 0x5b, 0x6c, 0x7d,
                     0x8e}},
        .sent_at_ms = INT64_C(1795648594123),
        .from = &sender,
        .to = "ada@example.com",
        .content = {bytes_of_text(subject), bytes_of_text(text), BYTES_LITERAL("<p>hello</p>\n")}};
}

static void a_message_has_the_headers_and_both_parts(void **state) {
    (void)state;
    struct mail_message message = make_message("Hello", "hello\n");
    struct buffer mail = {0};
    assert_int_equal(mail_message_write(&message, &mail), STATUS_OK);
    buffer_append_byte(&mail, '\0');
    assert_string_equal((const char *)mail.data,
                        "Date: Wed, 25 Nov 2026 23:16:34 +0000\r\n"
                        "From: \"Latchkey\"\r\n <latchkey@example.com>\r\n"
                        "To: ada@example.com\r\n"
                        "Subject: Hello\r\n"
                        "Message-ID: <0192f5c8-7e4a-7b3c-9d2e-1f0a5b6c7d8e@example.com>\r\n"
                        "Auto-Submitted: auto-generated\r\n"
                        "MIME-Version: 1.0\r\n"
                        "Content-Type: multipart/alternative; boundary=\"=_latchkey\"\r\n\r\n"
                        "--=_latchkey\r\n"
                        "Content-Type: text/plain; charset=utf-8\r\n"
                        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
                        "hello\r\n\r\n"
                        "--=_latchkey\r\n"
                        "Content-Type: text/html; charset=utf-8\r\n"
                        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
                        "<p>hello</p>\r\n\r\n"
                        "--=_latchkey--\r\n");
    buffer_fini(&mail);
}

static void the_same_mail_has_the_same_id_whatever_it_says(void **state) {
    (void)state;
    struct mail_message first = make_message("One", "one\n"), second = make_message("Two", "two\n");
    struct buffer mails[2] = {{0}}, ids[2] = {{0}};
    second.sent_at_ms += 3600000;
    assert_int_equal(mail_message_write(&first, &mails[0]), STATUS_OK);
    assert_int_equal(mail_message_write(&second, &mails[1]), STATUS_OK);
    for (int i = 0; i < 2; i++)
        assert_true(plain_mail_read_header(buffer_get_bytes(&mails[i]), "Message-ID", &ids[i]));
    assert_true(bytes_is_equal(buffer_get_bytes(&ids[0]), buffer_get_bytes(&ids[1])));
    for (int i = 0; i < 2; i++) {
        buffer_fini(&mails[i]);
        buffer_fini(&ids[i]);
    }
}

// Read back, the control characters in it are spaces.
static void assert_subject_survives(const char *subject) {
    struct mail_message message = make_message(subject, "x\n");
    struct buffer mail = {0}, found = {0};
    assert_int_equal(mail_message_write(&message, &mail), STATUS_OK);
    assert_true(plain_mail_is_clean(buffer_get_bytes(&mail)));
    assert_true(plain_mail_read_header(buffer_get_bytes(&mail), "Subject", &found));
    assert_int_equal(found.len, strlen(subject));
    for (size_t i = 0; i < found.len; i++) {
        uint8_t byte = (uint8_t)subject[i];
        assert_int_equal(found.data[i], byte < ' ' || byte == 0x7f ? ' ' : byte);
    }
    buffer_fini(&mail);
    buffer_fini(&found);
}

static void a_name_in_one_line_keeps_all_but_what_breaks_or_turns_lines(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"Caf\xc3\xa9 \xe2\x80\xa6 \xf0\x9f\x94\x91", "Caf\xc3\xa9 \xe2\x80\xa6 \xf0\x9f\x94\x91"},
        {"a\r\n\r\nb\tc\x7f", "a    b c "},
        {"a\xc2\x85g\xc2\xa0h", "a g\xc2\xa0h"},
        {"a\xe2\x80\xa8g\xe2\x80\xa9h", "a g h"},
        {"g\xe2\x80\xaeh\xe2\x80\x8ei\xe2\x81\xa6j\xe2\x81\xa9k", "g h i j k"}, // right to left, and isolates
        {"g\xe2\x80\x8dh\xe2\x81\xa0", "g\xe2\x80\x8dh\xe2\x81\xa0"},           // joiners stay
        {"g\xe2", "g\xe2"},                                                     // cut off
    };
    struct arena arena;
    arena_init(&arena, 0);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_string_equal(mail_make_one_line(cases[i][0], &arena), cases[i][1]);
    arena_fini(&arena);
}

static void subjects_of_any_language_and_length_survive(void **state) {
    (void)state;
    char text[1024];
    static const char *const characters[] = {"a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x94\x91", " ", "=",
                                             "?", "_"};
    for (size_t i = 0; i < ARRAY_LENGTH(characters); i++)
        for (size_t count = 1; count <= 200; count++) {
            text[0] = '\0';
            for (size_t j = 0; j < count; j++)
                memcpy(text + j * strlen(characters[i]), characters[i], strlen(characters[i]) + 1);
            assert_subject_survives(text);
        }
}

static void nothing_ends_a_header_early(void **state) {
    (void)state;
    static const char *const subjects[] = {
        "Hello\r\nBcc: eva@example.com",
        "Hello\nBcc: eva@example.com",
        "Hello\rBcc: x",
        "a\r\n\r\nbody",
        "=?UTF-8?Q?a?=",
        "tab\there",
        "del\x7f",
        "\r\n",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(subjects); i++) {
        struct mail_message message = make_message(subjects[i], "x\n");
        struct buffer mail = {0}, ignored = {0};
        assert_int_equal(mail_message_write(&message, &mail), STATUS_OK);
        assert_false(plain_mail_read_header(buffer_get_bytes(&mail), "Bcc", &ignored));
        assert_true(plain_mail_is_clean(buffer_get_bytes(&mail)));
        buffer_fini(&mail);
        buffer_fini(&ignored);
    }
    assert_subject_survives("=?UTF-8?Q?a?=");
    assert_subject_survives("Hello\r\nBcc: eva@example.com");
}

static void a_recipient_that_would_break_the_headers_is_refused(void **state) {
    (void)state;
    static const char *const recipients[] = {"", "ada", "a@b\r\nBcc: c@d", "a@b, c@d", "<a@b>"};
    for (size_t i = 0; i < ARRAY_LENGTH(recipients); i++) {
        struct mail_message message = make_message("x", "x\n");
        struct buffer mail = {0};
        message.to = recipients[i];
        assert_int_equal(mail_message_write(&message, &mail), STATUS_INVALID);
        buffer_fini(&mail);
    }
}

static void names_of_senders_survive(void **state) {
    (void)state;
    static const char *const names[] = {
        "Latchkey", "A \"quoted\" \\ name", "\xC3\x89mile \xE2\x82\xAC",
        "A name that is so long that it does not stand on one line with all of the header's rest, by far"};
    static const char *const expected[] = {"\"Latchkey\"", "\"A \\\"quoted\\\" \\\\ name\"", NULL, NULL};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        struct buffer header = {0}, found = {0};
        mime_append_address_header(&header, "From", bytes_of_text(names[i]), "a@example.com");
        assert_true(plain_mail_is_clean(buffer_get_bytes(&header)));
        assert_true(plain_mail_read_header(buffer_get_bytes(&header), "From", &found));
        struct bytes value = buffer_get_bytes(&found),
                     name = bytes_of_text(expected[i] ? expected[i] : names[i]);
        assert_true(bytes_has_prefix(value, name));
        assert_true(bytes_is_text(bytes_of(value.data + name.len, value.len - name.len), " <a@example.com>"));
        buffer_fini(&header);
        buffer_fini(&found);
    }
}

static void bodies_come_back_as_they_were(void **state) {
    (void)state;
    static const char *const bodies[] = {"",
                                         "a\n",
                                         "a\nb\n",
                                         "\n\n",
                                         "trailing space \n",
                                         "tab\t\n",
                                         "=\n",
                                         "a=3D\n",
                                         ".\n",
                                         "From here\n",
                                         "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x94\x91\n"};
    for (size_t i = 0; i < ARRAY_LENGTH(bodies); i++) {
        struct buffer encoded = {0}, decoded = {0};
        mime_append_quoted_printable(&encoded, bytes_of_text(bodies[i]));
        assert_true(plain_mail_is_clean(buffer_get_bytes(&encoded)));
        plain_mail_decode(buffer_get_bytes(&encoded), &decoded);
        assert_true(bytes_is_text(buffer_get_bytes(&decoded), bodies[i]));
        buffer_fini(&encoded);
        buffer_fini(&decoded);
    }
}

static void lines_of_every_length_stay_within_76_characters(void **state) {
    (void)state;
    char line[402];
    for (size_t len = 0; len <= 400; len++)
        for (int kind = 0; kind < 3; kind++) {
            memset(line, "a= "[kind], len);
            line[len] = '\n';
            struct buffer encoded = {0}, decoded = {0};
            mime_append_quoted_printable(&encoded, bytes_of(line, len + 1));
            struct bytes rest = buffer_get_bytes(&encoded);
            while (rest.len > 0)
                assert_true(bytes_split(&rest, '\n').len <= 77); // with its CR
            plain_mail_decode(buffer_get_bytes(&encoded), &decoded);
            assert_true(bytes_is_equal(buffer_get_bytes(&decoded), bytes_of(line, len + 1)));
            buffer_fini(&encoded);
            buffer_fini(&decoded);
        }
}

static void html_text_can_not_become_markup(void **state) {
    (void)state;
    struct buffer html = {0};
    mail_append_html_text(&html, BYTES_LITERAL("<a href=\"x\">Tom & 'Eva'</a>"));
    assert_true(bytes_is_text(buffer_get_bytes(&html),
                              "&lt;a href=&quot;x&quot;&gt;Tom &amp; &#39;Eva&#39;&lt;/a&gt;"));
    buffer_fini(&html);
}

static void a_buffer_that_is_full_is_told(void **state) {
    (void)state;
    struct mail_message message = make_message("Hello", "hello\n");
    struct buffer mail = {.limit = 100};
    assert_int_equal(mail_message_write(&message, &mail), STATUS_NO_MEMORY);
    buffer_fini(&mail);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_has_the_headers_and_both_parts),
        cmocka_unit_test(the_same_mail_has_the_same_id_whatever_it_says),
        cmocka_unit_test(a_name_in_one_line_keeps_all_but_what_breaks_or_turns_lines),
        cmocka_unit_test(subjects_of_any_language_and_length_survive),
        cmocka_unit_test(nothing_ends_a_header_early),
        cmocka_unit_test(a_recipient_that_would_break_the_headers_is_refused),
        cmocka_unit_test(names_of_senders_survive),
        cmocka_unit_test(bodies_come_back_as_they_were),
        cmocka_unit_test(lines_of_every_length_stay_within_76_characters),
        cmocka_unit_test(html_text_can_not_become_markup),
        cmocka_unit_test(a_buffer_that_is_full_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
