// Files that change under a program: what is read of them, and when.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/app/watched_files.h"
#include "common/base/whole_file.h"
#include "tests/unit/unit.h"

static char directory[] = "/tmp/test_watched_files.XXXXXX";

static const char *path = "a";
static char in_use[64]; // what was read last
static unsigned reads;

static enum status read_file(char *ret_error, size_t error_size) {
    struct buffer text = {0};
    reads++;
    enum status status = whole_file_read(path, &text, sizeof(in_use) - 1, ret_error, error_size);
    if (status == STATUS_OK)
        snprintf(in_use, sizeof(in_use), "%.*s", (int)text.len, (const char *)text.data);
    buffer_fini(&text);
    return status;
}

static struct watched_files files;

static void write_file(const char *name, const char *mode, const char *text) {
    FILE *to = fopen(name, mode);
    assert_non_null(to);
    fputs(text, to);
    fclose(to);
}

static void tick(unsigned times) {
    while (times-- > 0)
        watched_files_tick(&files);
}

static int set_up(void **state) {
    (void)state;
    write_file("a", "w", "first");
    files =
        (struct watched_files){.paths = {&path}, .read = read_file, .read_again = "read", .unusable = "bad"};
    (void)watched_files_look(&files);
    in_use[0] = '\0';
    reads = 0;
    return 0;
}

static void a_file_that_stays_is_not_read_again(void **state) {
    (void)state;
    tick(3);
    assert_int_equal(reads, 0);
}

static void a_file_that_was_replaced_is_read_once(void **state) {
    (void)state;
    write_file("b", "w", "second");
    assert_int_equal(rename("b", "a"), 0);
    tick(5);
    assert_string_equal(in_use, "second");
    assert_int_equal(reads, 1);
}

// Half of it may well be valid, and say something else than all of it.
static void a_file_that_is_still_being_written_is_not_read(void **state) {
    (void)state;
    write_file("a", "w", "* /** token\n");
    tick(1);
    write_file("a", "a", "* /internal/** deny\n");
    tick(1);
    assert_int_equal(reads, 0);
    tick(2);
    assert_string_equal(in_use, "* /** token\n* /internal/** deny\n");
    assert_int_equal(reads, 1);
}

static void a_file_that_is_gone_changes_nothing_and_is_read_when_it_is_back(void **state) {
    (void)state;
    unlink("a");
    tick(5);
    assert_int_equal(reads, 1);
    assert_string_equal(in_use, "");
    write_file("a", "w", "back");
    tick(2);
    assert_string_equal(in_use, "back");
}

static void who_asks_for_it_has_it_read_at_once(void **state) {
    (void)state;
    write_file("a", "w", "second");
    watched_files_reload(&files);
    assert_string_equal(in_use, "second");
    tick(3);
    assert_int_equal(reads, 1);
}

static void set_descriptors_max(rlim_t max) {
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void what_could_not_be_read_for_want_of_descriptors_is_read_as_soon_as_there_are_some(void **state) {
    (void)state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    write_file("a", "w", "second");
    set_descriptors_max(0);
    tick(4);
    set_descriptors_max(before.rlim_cur);
    assert_string_equal(in_use, "");
    assert_int_equal(reads, 3);
    assert_int_equal(files.failures, 3);
    tick(3);
    assert_string_equal(in_use, "second");
    assert_int_equal(reads, 4);
}

static int enter(void **state) {
    (void)state;
    return mkdtemp(directory) && chdir(directory) == 0 ? 0 : -1;
}

static int leave(void **state) {
    (void)state;
    unlink("a");
    return chdir("/") == 0 && rmdir(directory) == 0 ? 0 : -1;
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup(name, set_up)
    const struct CMUnitTest tests[] = {
        CASE(a_file_that_stays_is_not_read_again),
        CASE(a_file_that_was_replaced_is_read_once),
        CASE(a_file_that_is_still_being_written_is_not_read),
        CASE(a_file_that_is_gone_changes_nothing_and_is_read_when_it_is_back),
        CASE(who_asks_for_it_has_it_read_at_once),
        CASE(what_could_not_be_read_for_want_of_descriptors_is_read_as_soon_as_there_are_some),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
