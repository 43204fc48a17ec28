// What a mail server says, and what may be configured of it; talking to real ones is tests/integration's.
#include <string.h>

#include "common/mail/smtp.h"
#include "common/mail/smtp_reply.h"
#include "tests/unit/unit.h"

static struct smtp_reply read_lines(const char *const *lines, size_t count) {
    struct smtp_reply reply = {0};
    for (size_t i = 0; i < count; i++)
        smtp_reply_add_line(&reply, bytes_of_text(lines[i]));
    return reply;
}

static void the_last_whole_reply_is_kept(void **state) {
    (void)state;
    const char *lines[] = {"220 mail.example.com\r\n", "250-mail.example.com\r\n", "250 SIZE 1000\r\n",
                           "550 5.1.1 no such user\r\n"};
    struct smtp_reply reply = read_lines(lines, ARRAY_LENGTH(lines));
    assert_int_equal(reply.code, 550);
    assert_string_equal(reply.text, "550 5.1.1 no such user");
    assert_false(reply.is_partial);
}

static void lines_of_one_reply_are_joined(void **state) {
    (void)state;
    const char *lines[] = {"550-5.7.1 not accepted\r\n", "550-see https://example.com/why\r\n",
                           "550 goodbye\r\n"};
    struct smtp_reply reply = read_lines(lines, 2);
    assert_true(reply.is_partial);
    reply = read_lines(lines, 3);
    assert_string_equal(reply.text, "550 5.7.1 not accepted see https://example.com/why goodbye");
}

static void what_is_no_reply_is_passed_over(void **state) {
    (void)state;
    const char *lines[] = {"550 no\r\n", "",          "\r\n",      "hello\r\n",      "99 x\r\n",
                           "5500 x\r\n", "abc x\r\n", "100 x\r\n", "221 goodbye\r\n"};
    struct smtp_reply reply = read_lines(lines, ARRAY_LENGTH(lines));
    assert_string_equal(reply.text, "550 no");
}

static void a_code_alone_is_a_reply(void **state) {
    (void)state;
    const char *lines[] = {"250\r\n"};
    struct smtp_reply reply = read_lines(lines, 1);
    assert_int_equal(reply.code, 250);
    assert_string_equal(reply.text, "250");
}

static void words_are_cut_at_a_character_and_hold_nothing_that_commands_a_terminal(void **state) {
    (void)state;
    char line[2000] = "550 ", text[SMTP_REPLY_TEXT_MAX + 1];
    for (size_t i = 0; i < 400; i++)
        memcpy(line + 4 + 3 * i, "\xE2\x82\xAC", 4);
    struct smtp_reply reply = {0};
    smtp_reply_add_line(&reply, bytes_of_text(line));
    assert_true(reply.len <= SMTP_REPLY_TEXT_MAX && reply.len > SMTP_REPLY_TEXT_MAX - 4);
    assert_true(bytes_is_utf8(bytes_of_text(reply.text)));
    smtp_reply_clean(BYTES_LITERAL("a\x1b[31m\r\nb\xFF\xC3"), text, sizeof(text));
    assert_string_equal(text, "a [31m  b??");
}

static void a_reply_can_not_grow_beyond_its_room(void **state) {
    (void)state;
    struct smtp_reply reply = {0};
    for (int i = 0; i < 1000; i++)
        smtp_reply_add_line(&reply, BYTES_LITERAL("250-and one more line of words\r\n"));
    assert_true(reply.len <= SMTP_REPLY_TEXT_MAX);
    assert_int_equal(strlen(reply.text), reply.len);
}

// ---- the server ----

static const struct {
    const char *url, *password_file;
    enum smtp_tls tls;
    const char *refused; // words of the refusal; NULL = accepted
} servers[] = {
    {"smtp://mail.example.com:587", NULL, SMTP_TLS_AUTO, NULL},
    {"smtp://mail.example.com", NULL, SMTP_TLS_AUTO, NULL},
    {"smtps://mail.example.com:465/", NULL, SMTP_TLS_AUTO, NULL},
    {"smtp://ada%40example.com@mail.example.com:587", "/p", SMTP_TLS_REQUIRED, NULL},
    {"smtp://ada@localhost:25", "/p", SMTP_TLS_OPPORTUNISTIC, NULL},
    {"smtp://ada@[::1]:25", "/p", SMTP_TLS_OPPORTUNISTIC, NULL},
    {"smtp://ada@127.0.0.2:25", "/p", SMTP_TLS_OPPORTUNISTIC, NULL},
    {"smtps://ada@mail.example.com", "/p", SMTP_TLS_OPPORTUNISTIC, NULL},
    {"smtp://mail.example.com", NULL, SMTP_TLS_OPPORTUNISTIC, NULL},
    {"smtp://ada@mail.example.com", "/p", SMTP_TLS_OPPORTUNISTIC, "would show the password"},
    {"smtp://ada@localhost.example.com", "/p", SMTP_TLS_OPPORTUNISTIC, "would show the password"},
    {"smtp://ada:secret@mail.example.com", "/p", SMTP_TLS_AUTO, "leave the password out"},
    {"smtp://ada@mail.example.com", NULL, SMTP_TLS_AUTO, "--smtp-password-file"},
    {"smtp://mail.example.com", "/p", SMTP_TLS_AUTO, "names no user"},
    {"http://mail.example.com", NULL, SMTP_TLS_AUTO, "type smtp://"},
    {"mail.example.com", NULL, SMTP_TLS_AUTO, "type smtp://"},
    {"smtp://mail.example.com/path", NULL, SMTP_TLS_AUTO, "type smtp://"},
    {"smtp://", NULL, SMTP_TLS_AUTO, "type smtp://"},
    {"smtp://mail.example.com:99999", NULL, SMTP_TLS_AUTO, "type smtp://"},
};

static void settings_of_a_server_are_checked_before_it_is_needed(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(servers); i++) {
        struct smtp_options options = {.url = servers[i].url,
                                       .password_file = servers[i].password_file,
                                       .tls = servers[i].tls,
                                       .timeout_ms = 1000};
        struct smtp_server *server = NULL;
        char error[300] = "";
        enum status status = smtp_server_new(&options, error, sizeof(error), &server);
        if (servers[i].refused) {
            assert_int_equal(status, STATUS_INVALID);
            assert_non_null(strstr(error, servers[i].refused));
            assert_null(strstr(error, "secret"));
        } else {
            assert_string_equal(error, "");
            assert_int_equal(status, STATUS_OK);
        }
        smtp_server_free(server);
    }
}

static void a_session_without_its_password_is_told(void **state) {
    (void)state;
    struct smtp_options options = {
        .url = "smtps://ada@mail.example.com", .password_file = "/nowhere/password", .timeout_ms = 1000};
    struct smtp_server *server;
    struct smtp_session *session;
    char error[300];
    assert_int_equal(smtp_server_new(&options, error, sizeof(error), &server), STATUS_OK);
    assert_int_equal(smtp_session_new(server, NULL, NULL, &session), STATUS_INVALID);
    smtp_server_free(server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_whole_reply_is_kept),
        cmocka_unit_test(lines_of_one_reply_are_joined),
        cmocka_unit_test(what_is_no_reply_is_passed_over),
        cmocka_unit_test(a_code_alone_is_a_reply),
        cmocka_unit_test(words_are_cut_at_a_character_and_hold_nothing_that_commands_a_terminal),
        cmocka_unit_test(a_reply_can_not_grow_beyond_its_room),
        cmocka_unit_test(settings_of_a_server_are_checked_before_it_is_needed),
        cmocka_unit_test(a_session_without_its_password_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
