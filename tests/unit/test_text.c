// The nearest known word.
#include <string.h>

#include "common/base/text.h"
#include "tests/unit/unit.h"

static const char *const settings[] = {"listen", "admin-listen", "database-url", "workers", "port"};

static const char *find(const char *word) {
    return text_find_nearest(bytes_of_text(word), settings, ARRAY_LENGTH(settings));
}

static void one_typing_error_of_each_kind_is_seen_through(void **state) {
    (void)state;
    assert_string_equal(find("lissten"), "listen"); // one too many
    assert_string_equal(find("lsten"), "listen");   // one missing
    assert_string_equal(find("lizten"), "listen");  // another one
    assert_string_equal(find("lisetn"), "listen");  // two swapped
    assert_string_equal(find("listen"), "listen");  // none
    assert_string_equal(find("databaseurl"), "database-url");
}

static void a_swap_costs_one_edit_not_two(void **state) {
    (void)state;
    // Four characters allow one edit.
    assert_string_equal(find("prot"), "port");
    assert_null(find("prto"));
}

static void what_is_far_from_every_word_has_no_nearest(void **state) {
    (void)state;
    assert_null(find("replicas"));
    assert_null(find("x"));
    assert_null(find(""));
    assert_null(text_find_nearest(BYTES_LITERAL("listen"), settings, 0));
}

static void of_two_equally_near_the_first_is_taken(void **state) {
    (void)state;
    static const char *const words[] = {"bat", "cat", "hat"};
    assert_string_equal(text_find_nearest(BYTES_LITERAL("rat"), words, 3), "bat");
}

static void the_nearer_word_wins_over_the_earlier_one(void **state) {
    (void)state;
    static const char *const words[] = {"charges.read", "charges.create"};
    assert_string_equal(text_find_nearest(BYTES_LITERAL("charges.creat"), words, 2), "charges.create");
}

static void words_of_up_to_64_bytes_are_compared(void **state) {
    (void)state;
    char longest[65], longer[66];
    memset(longest, 'a', 64);
    memset(longer, 'a', 65);
    longest[64] = longer[65] = '\0';
    const char *const words[] = {longer, longest};
    assert_ptr_equal(text_find_nearest(bytes_of(longest, 64), words, 2), longest);
    assert_ptr_equal(text_find_nearest(bytes_of(longest, 63), words, 2), longest);
    assert_null(text_find_nearest(bytes_of(longer, 65), words, 2));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_typing_error_of_each_kind_is_seen_through),
        cmocka_unit_test(a_swap_costs_one_edit_not_two),
        cmocka_unit_test(what_is_far_from_every_word_has_no_nearest),
        cmocka_unit_test(of_two_equally_near_the_first_is_taken),
        cmocka_unit_test(the_nearer_word_wins_over_the_earlier_one),
        cmocka_unit_test(words_of_up_to_64_bytes_are_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
