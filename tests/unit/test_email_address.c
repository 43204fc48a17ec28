// E-mail addresses: what is taken and how it is written, what is refused and with which sentence, every byte
// in every place.
#include <stdio.h>

#include "services/invitation/email_address.h"
#include "tests/unit/unit.h"

#define TEN "abcdefghij"
#define SIXTY TEN TEN TEN TEN TEN TEN
// 250 characters: with the @, three more fit in front of it.
#define LONG_DOMAIN SIXTY "." SIXTY "." SIXTY "." SIXTY ".abc.cd"

static const struct {
    const char *typed, *written;
} valid[] = {
    {"ada@example.com", "ada@example.com"},
    {"Ada.Lovelace@Example.COM", "Ada.Lovelace@example.com"},
    {"a@b.c", "a@b.c"},
    {"ada+test@example.com", "ada+test@example.com"},
    {"o'brien@example.ie", "o'brien@example.ie"},
    {"!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~@example.com"},
    {"1@123.example", "1@123.example"},
    {"-@a-b.example", "-@a-b.example"},
    {"ada@b\xC3\xBC"
     "cher.example",
     "ada@xn--bcher-kva.example"},
    {"ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"},
    {SIXTY "1234@example.com", SIXTY "1234@example.com"},
    {"ada@" LONG_DOMAIN, "ada@" LONG_DOMAIN},
    {"first.middle.last@example.com", "first.middle.last@example.com"},
    {"ada+a+b=c@example.com", "ada+a+b=c@example.com"},
    {"ADA@EXAMPLE.COM", "ADA@example.com"},
    {"a.b@c.d.e.f.example", "a.b@c.d.e.f.example"},
    {"0@0.example", "0@0.example"},
    {"ada--x@a--b.example", "ada--x@a--b.example"},
    {"_@example.com", "_@example.com"},
    {"+@example.com", "+@example.com"},
    {"ada@" SIXTY "123.com", "ada@" SIXTY "123.com"},
    {"ada@XN--BCHER-KVA.example", "ada@xn--bcher-kva.example"},
    {"ada@stra\xC3\x9F"
     "e.example",
     "ada@xn--strae-oqa.example"},
    {"ada@\xE6\x97\xA5\xE6\x9C\xAC.example", "ada@xn--wgv71a.example"},
    {"ada@\xC3\xA9.example", "ada@xn--9ca.example"},
    {"ada@\xD0\xBF\xD1\x80.example", "ada@xn--o1ac.example"},
};

static const struct {
    const char *typed;
    enum email_parse_result result;
} refused[] = {
    {"", EMAIL_PARSE_EMPTY},
    {" ", EMAIL_PARSE_SPACE},
    {" ada@example.com", EMAIL_PARSE_SPACE},
    {"ada@example.com\n", EMAIL_PARSE_SPACE},
    {"Ada <ada@example.com>", EMAIL_PARSE_SPACE},
    {"<ada@example.com>", EMAIL_PARSE_SPACE},
    {"ada@example.com,eve@example.com", EMAIL_PARSE_SPACE},
    {"ada", EMAIL_PARSE_FORM},
    {"example.com", EMAIL_PARSE_FORM},
    {"ada@eve@example.com", EMAIL_PARSE_FORM},
    {"ada@@example.com", EMAIL_PARSE_FORM},
    {"@", EMAIL_PARSE_LOCAL_EMPTY},
    {"@example.com", EMAIL_PARSE_LOCAL_EMPTY},
    {"\"ada\"@example.com", EMAIL_PARSE_LOCAL_CHARACTER},
    {"ada(math)@example.com", EMAIL_PARSE_LOCAL_CHARACTER},
    {"mailto:ada@example.com", EMAIL_PARSE_LOCAL_CHARACTER},
    {"j\xC3\xB6rg@example.com", EMAIL_PARSE_LOCAL_CHARACTER},
    {".ada@example.com", EMAIL_PARSE_LOCAL_DOT},
    {"ada.@example.com", EMAIL_PARSE_LOCAL_DOT},
    {"a..da@example.com", EMAIL_PARSE_LOCAL_DOT},
    {"ada@", EMAIL_PARSE_DOMAIN},
    {"ada@.", EMAIL_PARSE_DOMAIN},
    {"ada@example.com.", EMAIL_PARSE_DOMAIN},
    {"ada@.example.com", EMAIL_PARSE_DOMAIN},
    {"ada@example..com", EMAIL_PARSE_DOMAIN},
    {"ada@-example.com", EMAIL_PARSE_DOMAIN},
    {"ada@*.example.com", EMAIL_PARSE_DOMAIN},
    {"ada@exam_ple.com", EMAIL_PARSE_DOMAIN},
    {"ada@example.com/path", EMAIL_PARSE_DOMAIN},
    {"ada@example.com:25", EMAIL_PARSE_DOMAIN},
    {"ada@example", EMAIL_PARSE_DOMAIN_SHORT},
    {"ada@localhost", EMAIL_PARSE_DOMAIN_SHORT},
    {"ada@192.0.2.1", EMAIL_PARSE_DOMAIN_ADDRESS},
    {"ada@[192.0.2.1]", EMAIL_PARSE_DOMAIN_ADDRESS},
    {"ada@xn--a.example", EMAIL_PARSE_DOMAIN_INTERNATIONAL},
    {SIXTY "12345@example.com", EMAIL_PARSE_TOO_LONG},
    {"adam@" LONG_DOMAIN, EMAIL_PARSE_TOO_LONG},
    {"ada@" SIXTY "1234.com", EMAIL_PARSE_TOO_LONG},
    {"ada\t@example.com", EMAIL_PARSE_SPACE},
    {"ada@example.com\r\nBcc: eve@example.com", EMAIL_PARSE_SPACE},
    {"ada @example.com", EMAIL_PARSE_SPACE},
    {"ada@ example.com", EMAIL_PARSE_SPACE},
    {"ada@exa mple.com", EMAIL_PARSE_SPACE},
    {"ada@example.com;", EMAIL_PARSE_SPACE},
    {"ada@example.com>", EMAIL_PARSE_SPACE},
    {"@@", EMAIL_PARSE_FORM},
    {"@ada@example.com", EMAIL_PARSE_FORM},
    {"ada@example.com@", EMAIL_PARSE_FORM},
    {"@a:ada@example.com", EMAIL_PARSE_FORM},
    {".@example.com", EMAIL_PARSE_LOCAL_DOT},
    {"..@example.com", EMAIL_PARSE_LOCAL_DOT},
    {"a...b@example.com", EMAIL_PARSE_LOCAL_DOT},
    {"\"a b\"@example.com", EMAIL_PARSE_SPACE},
    {"\"\"@example.com", EMAIL_PARSE_LOCAL_CHARACTER},
    {"ada\\@example.com", EMAIL_PARSE_LOCAL_CHARACTER},
    {"a:b@example.com", EMAIL_PARSE_LOCAL_CHARACTER},
    {"[ada]@example.com", EMAIL_PARSE_LOCAL_CHARACTER},
    {"ada\x7F@example.com", EMAIL_PARSE_LOCAL_CHARACTER},
    {"ada\xC2\xA0@example.com", EMAIL_PARSE_LOCAL_CHARACTER},
    {"ad\xE2\x80\x8B"
     "a@example.com",
     EMAIL_PARSE_LOCAL_CHARACTER},
    {"\xEF\xBD\x81@example.com", EMAIL_PARSE_LOCAL_CHARACTER},
    {"\xF0\x9F\x99\x82@example.com", EMAIL_PARSE_LOCAL_CHARACTER},
    {"ada@example-.com", EMAIL_PARSE_DOMAIN},
    {"ada@exam!ple.com", EMAIL_PARSE_DOMAIN},
    {"ada@example.com..", EMAIL_PARSE_DOMAIN},
    {"ada@*", EMAIL_PARSE_DOMAIN},
    {"ada@https://example.com", EMAIL_PARSE_DOMAIN},
    {"ada@%00.com", EMAIL_PARSE_DOMAIN},
    {"ada@com", EMAIL_PARSE_DOMAIN_SHORT},
    {"ada@[IPv6:2001:db8::1]", EMAIL_PARSE_DOMAIN_ADDRESS},
    {"ada@2001:db8::1", EMAIL_PARSE_DOMAIN},
    {"ada@xn--.example", EMAIL_PARSE_DOMAIN},
    {"ada@\xF0\x9F\x99\x82.example", EMAIL_PARSE_DOMAIN_INTERNATIONAL},
};

static void every_valid_address_is_read_and_written(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(valid); i++) {
        struct email_address address;
        enum email_parse_result result = email_address_parse(bytes_of_text(valid[i].typed), &address);
        if (result != EMAIL_PARSE_OK)
            fail_msg("%s: %s", valid[i].typed, email_parse_result_get_text(result));
        assert_string_equal(address.text, valid[i].written);
    }
}

static void what_was_written_reads_as_itself(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(valid); i++) {
        struct email_address address;
        assert_int_equal(email_address_parse(bytes_of_text(valid[i].written), &address), EMAIL_PARSE_OK);
        assert_string_equal(address.text, valid[i].written);
    }
}

static void everything_else_is_refused_with_its_sentence_and_nothing_is_touched(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(refused); i++) {
        struct email_address address = {"untouched"};
        enum email_parse_result result = email_address_parse(bytes_of_text(refused[i].typed), &address);
        if (result != refused[i].result)
            fail_msg("%s: %s", refused[i].typed, email_parse_result_get_text(result));
        assert_string_equal(address.text, "untouched");
    }
}

static void every_sentence_says_what_to_type(void **state) {
    (void)state;
    for (int i = EMAIL_PARSE_EMPTY; i < EMAIL_PARSE_NO_MEMORY; i++)
        assert_memory_equal(email_parse_result_get_text((enum email_parse_result)i), "type ", 5);
}

// Parses `before`, one byte, `after`, as bytes that no terminator ends.
static bool is_taken(const char *before, int byte, const char *after) {
    char text[100];
    struct email_address address;
    int length = snprintf(text, sizeof(text), "%s%c%s", before, byte, after);
    return email_address_parse(bytes_of(text, (size_t)length), &address) == EMAIL_PARSE_OK;
}

static void before_the_at_sign_exactly_the_characters_that_need_no_quotes_are_taken(void **state) {
    (void)state;
    const char *taken = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~";
    for (int byte = 0; byte < 256; byte++) {
        bool is_wanted = byte > 0 && strchr(taken, byte);
        if (is_taken("", byte, "@example.com") != is_wanted)
            fail_msg("byte %d alone", byte);
        if (is_taken("a", byte, "b@example.com") != (is_wanted || byte == '.'))
            fail_msg("byte %d in the middle", byte);
    }
}

static void behind_the_at_sign_exactly_the_characters_of_a_host_name_are_taken(void **state) {
    (void)state;
    const char *taken = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
    for (int byte = 0; byte < 256; byte++)
        if (is_taken("ada@ex", byte, "ample.com") != (byte > 0 && strchr(taken, byte)))
            fail_msg("byte %d", byte);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_valid_address_is_read_and_written),
        cmocka_unit_test(what_was_written_reads_as_itself),
        cmocka_unit_test(everything_else_is_refused_with_its_sentence_and_nothing_is_touched),
        cmocka_unit_test(every_sentence_says_what_to_type),
        cmocka_unit_test(before_the_at_sign_exactly_the_characters_that_need_no_quotes_are_taken),
        cmocka_unit_test(behind_the_at_sign_exactly_the_characters_of_a_host_name_are_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
