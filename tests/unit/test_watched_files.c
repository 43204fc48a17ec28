// Files that change under a program: what is read of them, and when.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/app/watched_files.h"
#include "tests/unit/unit.h"

static char directory[] = "/tmp/test_watched_files.XXXXXX";

static const char *path = "a";
static char in_use[64]; // what was read last
static unsigned reads;

static enum status read_file(char *ret_error, size_t error_size) {
    FILE *from = fopen(path, "r");
    reads++;
    snprintf(ret_error, error_size, "%s is not there", path);
    if (!from)
        return STATUS_INVALID;
    in_use[fread(in_use, 1, sizeof(in_use) - 1, from)] = '\0';
    fclose(from);
    return STATUS_OK;
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
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
