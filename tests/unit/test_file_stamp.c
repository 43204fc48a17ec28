// A file that was changed, replaced, or reached by another link has another stamp.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/file_stamp.h"
#include "tests/unit/unit.h"

static char directory[] = "/tmp/test_file_stamp.XXXXXX";

static void write_file(const char *name, const char *text) {
    FILE *to = fopen(name, "w");
    assert_non_null(to);
    fputs(text, to);
    fclose(to);
}

static bool is_same(const struct file_stamp *before, const char *name) {
    struct file_stamp now = file_stamp_of(name);
    return file_stamp_is_equal(before, &now);
}

static void it_stays_as_long_as_nobody_touches_the_file(void **state) {
    (void)state;
    write_file("a", "text");
    struct file_stamp before = file_stamp_of("a");
    assert_true(is_same(&before, "a"));
}

static void it_is_another_when_the_file_has_other_bytes_or_is_gone(void **state) {
    (void)state;
    write_file("a", "text");
    struct file_stamp before = file_stamp_of("a"), none = {0};
    assert_false(is_same(&none, "a"));
    write_file("a", "longer text");
    assert_false(is_same(&before, "a"));
    unlink("a");
    assert_true(is_same(&none, "a"));
}

static void it_is_another_for_another_file_of_that_size_and_time(void **state) {
    (void)state;
    const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    write_file("a", "text");
    write_file("b", "TEXT");
    utimensat(AT_FDCWD, "a", times, 0);
    utimensat(AT_FDCWD, "b", times, 0);
    struct file_stamp before = file_stamp_of("a");
    rename("b", "a");
    assert_false(is_same(&before, "a"));
}

static void it_is_another_when_a_link_on_the_way_was_swapped(void **state) {
    (void)state;
    mkdir("one", 0700);
    mkdir("two", 0700);
    write_file("one/a", "text");
    write_file("two/a", "text");
    assert_int_equal(symlink("one", "data"), 0);
    assert_int_equal(symlink("data/a", "linked"), 0);
    struct file_stamp before = file_stamp_of("linked");
    assert_int_equal(symlink("two", "data.new"), 0);
    assert_int_equal(rename("data.new", "data"), 0);
    assert_false(is_same(&before, "linked"));
}

static int set_up(void **state) {
    (void)state;
    return !mkdtemp(directory) || chdir(directory) != 0;
}

static int tear_down(void **state) {
    (void)state;
    static const char *const files[] = {"a", "b", "one/a", "two/a", "data", "linked"};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        unlink(files[i]);
    rmdir("one");
    rmdir("two");
    return chdir("/") != 0 || rmdir(directory) != 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_stays_as_long_as_nobody_touches_the_file),
        cmocka_unit_test(it_is_another_when_the_file_has_other_bytes_or_is_gone),
        cmocka_unit_test(it_is_another_for_another_file_of_that_size_and_time),
        cmocka_unit_test(it_is_another_when_a_link_on_the_way_was_swapped),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
