// Links for signing in: once, for a while, in one browser, and not too many.
#include "services/console/console_link.h"
#include "tests/unit/unit.h"

#define MINUTE_NS UINT64_C(60000000000)
#define HERE BYTES_LITERAL("0123456789abcdef0123456789abcdef")
#define ELSEWHERE BYTES_LITERAL("fedcba98765432100123456789abcdef")

enum { MAX = 16, PER_ADDRESS = 3 };

static const struct console_person ada = {"ada@example.com", "acme"}, bob = {"bob@example.com", "acme"};

static const struct ip_address office = {.family = IP_FAMILY_V4, .bytes = {203, 0, 113, 7}};

static int set_up(void **state) {
    const struct console_links_options options = {MAX, PER_ADDRESS, 15 * 60 * 1000};
    return console_links_new(&options, (struct console_links **)state) == STATUS_OK ? 0 : -1;
}

static int tear_down(void **state) {
    console_links_free(*state);
    return 0;
}

struct secret_text {
    char text[CONSOLE_LINK_SECRET_LENGTH + 1];
};

static struct secret_text add(struct console_links *links, const struct console_person *person,
                              uint64_t now_ns) {
    struct secret_text secret;
    assert_int_equal(console_links_add(links, person, &office, HERE, now_ns, secret.text), STATUS_OK);
    assert_int_equal(strlen(secret.text), CONSOLE_LINK_SECRET_LENGTH);
    return secret;
}

static enum console_link_state take(struct console_links *links, const char *secret, struct bytes browser,
                                    uint64_t now_ns) {
    struct console_person person = {.email = "nobody"};
    enum console_link_state state =
        console_links_take(links, bytes_of_text(secret), browser, now_ns, &person);
    assert_string_equal(person.email, state == CONSOLE_LINK_TAKEN ? "ada@example.com" : "nobody");
    return state;
}

static void a_link_works_once(void **state) {
    struct secret_text secret = add(*state, &ada, 1);
    assert_int_equal(take(*state, secret.text, HERE, 2), CONSOLE_LINK_TAKEN);
    assert_int_equal(take(*state, secret.text, HERE, 3), CONSOLE_LINK_BROKEN);
}

static void it_works_again_when_it_was_given_back(void **state) {
    struct secret_text secret = add(*state, &ada, 1);
    assert_int_equal(take(*state, secret.text, HERE, 2), CONSOLE_LINK_TAKEN);
    console_links_give_back(*state, bytes_of_text(secret.text));
    console_links_give_back(*state, BYTES_LITERAL("another"));
    assert_int_equal(take(*state, secret.text, HERE, 3), CONSOLE_LINK_TAKEN);
}

static void it_works_for_its_lifetime(void **state) {
    struct secret_text secret = add(*state, &ada, 1);
    assert_int_equal(take(*state, secret.text, HERE, 1 + 15 * MINUTE_NS), CONSOLE_LINK_BROKEN);
    assert_int_equal(take(*state, secret.text, HERE, 15 * MINUTE_NS), CONSOLE_LINK_TAKEN);
}

static void another_browser_leaves_it_as_it_is(void **state) {
    struct secret_text secret = add(*state, &ada, 1);
    assert_int_equal(take(*state, secret.text, ELSEWHERE, 2), CONSOLE_LINK_OF_OTHER_BROWSER);
    assert_int_equal(take(*state, secret.text, BYTES_EMPTY, 2), CONSOLE_LINK_OF_OTHER_BROWSER);
    assert_int_equal(take(*state, secret.text, HERE, 2), CONSOLE_LINK_TAKEN);
}

static void a_link_that_asked_from_no_browser_works_in_none(void **state) {
    struct secret_text secret;
    assert_int_equal(console_links_add(*state, &ada, &office, BYTES_EMPTY, 1, secret.text), STATUS_OK);
    assert_int_equal(take(*state, secret.text, BYTES_EMPTY, 2), CONSOLE_LINK_OF_OTHER_BROWSER);
}

static void what_is_none_is_broken(void **state) {
    struct secret_text secret = add(*state, &ada, 1);
    assert_int_equal(take(*state, "", HERE, 2), CONSOLE_LINK_BROKEN);
    assert_int_equal(take(*state, "0", HERE, 2), CONSOLE_LINK_BROKEN);
    secret.text[0] = secret.text[0] == '0' ? '1' : '0';
    assert_int_equal(take(*state, secret.text, HERE, 2), CONSOLE_LINK_BROKEN);
}

static void a_person_gets_so_many_and_others_theirs(void **state) {
    struct secret_text secret;
    for (int i = 0; i < PER_ADDRESS; i++)
        add(*state, &ada, 1);
    assert_int_equal(console_links_add(*state, &ada, &office, HERE, 2, secret.text), STATUS_EXHAUSTED);
    add(*state, &bob, 2);
    add(*state, &ada, 1 + 15 * MINUTE_NS);
}

static void another_spelling_is_the_same_mailbox(void **state) {
    static const struct console_person spellings[] = {
        {"ada@example.com", "other"}, {"ADA@example.com", "acme"}, {"ada@Example.COM", ""}};
    struct secret_text secret;
    for (int i = 0; i < PER_ADDRESS; i++)
        add(*state, &ada, 1);
    for (size_t i = 0; i < ARRAY_LENGTH(spellings); i++)
        assert_int_equal(console_links_add(*state, &spellings[i], &office, HERE, 2, secret.text),
                         STATUS_EXHAUSTED);
}

static enum status add_from(struct console_links *links, const struct ip_address *asker) {
    struct secret_text secret;
    return console_links_add(links, &ada, asker, HERE, 2, secret.text);
}

static void who_asks_for_somebody_else_s_links_uses_up_their_own(void **state) {
    struct ip_address stranger = {.family = IP_FAMILY_V6, .bytes = {0x20, 1, 0xd, 0xb8}};
    for (int i = 0; i < PER_ADDRESS; i++) {
        stranger.bytes[15]++; // of the same network
        assert_int_equal(add_from(*state, &stranger), STATUS_OK);
    }
    assert_int_equal(add_from(*state, &stranger), STATUS_EXHAUSTED);
    assert_int_equal(add_from(*state, &office), STATUS_OK);
}

static void all_together_get_four_times_as_many(void **state) {
    struct ip_address stranger = {.family = IP_FAMILY_V4, .bytes = {192, 0, 2, 0}};
    for (int i = 0; i < 4 * PER_ADDRESS; i++) {
        stranger.bytes[3]++;
        assert_int_equal(add_from(*state, &stranger), STATUS_OK);
    }
    assert_int_equal(add_from(*state, &office), STATUS_EXHAUSTED);
}

static void when_there_are_too_many_the_old_ones_stay(void **state) {
    struct secret_text first = add(*state, &ada, 1), secret;
    for (int i = 1; i < MAX; i++) {
        struct console_person person = {.company = "acme"};
        person.email[0] = (char)('a' + i);
        add(*state, &person, 1);
    }
    assert_int_equal(console_links_add(*state, &bob, &office, HERE, 2, secret.text), STATUS_EXHAUSTED);
    assert_int_equal(take(*state, first.text, HERE, 3), CONSOLE_LINK_TAKEN);
    assert_int_equal(console_links_add(*state, &bob, &office, HERE, 1 + 15 * MINUTE_NS, secret.text),
                     STATUS_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_link_works_once),
        TEST(it_works_again_when_it_was_given_back),
        TEST(it_works_for_its_lifetime),
        TEST(another_browser_leaves_it_as_it_is),
        TEST(a_link_that_asked_from_no_browser_works_in_none),
        TEST(what_is_none_is_broken),
        TEST(a_person_gets_so_many_and_others_theirs),
        TEST(another_spelling_is_the_same_mailbox),
        TEST(who_asks_for_somebody_else_s_links_uses_up_their_own),
        TEST(all_together_get_four_times_as_many),
        TEST(when_there_are_too_many_the_old_ones_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
