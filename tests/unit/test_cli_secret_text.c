// Secrets on their way in and out: recognised on a command line, read from files, written to new ones.
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/cli/secret_text.h"
#include "tests/unit/unit.h"

#define SECRET "lka_0m349ZeX5RtOaPohwcjiVuTp4gDTKlnLktiko2WtcuE2122ceei"

// A command line whose errors are kept, and a directory.
struct scene {
    struct cli cli;
    char directory[32], path[64];
    char *said;
    size_t said_len;
};

static int set_up(void **state) {
    struct scene *scene = calloc(1, sizeof(*scene));
    if (!scene)
        return -1;
    arena_init(&scene->cli.arena, 0);
    scene->cli.err = open_memstream(&scene->said, &scene->said_len);
    memcpy(scene->directory, "/tmp/latchkey-unit-XXXXXX", sizeof("/tmp/latchkey-unit-XXXXXX"));
    if (!mkdtemp(scene->directory))
        return -1;
    snprintf(scene->path, sizeof(scene->path), "%s/secret", scene->directory);
    *state = scene;
    return 0;
}

static int tear_down(void **state) {
    struct scene *scene = *state;
    unlink(scene->path);
    rmdir(scene->directory);
    fclose(scene->cli.err);
    free(scene->said);
    arena_fini(&scene->cli.arena);
    free(scene);
    return 0;
}

static const char *get_said(struct scene *scene) {
    fflush(scene->cli.err);
    return scene->said;
}

static void put_file(const struct scene *scene, const char *text, size_t len) {
    int fd = open(scene->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0 && write(fd, text, len) == (ssize_t)len);
    close(fd);
}

static void a_secret_is_recognised_wherever_it_stands_in_a_word(void **state) {
    (void)state;
    assert_true(secret_text_is_in(SECRET));
    assert_true(secret_text_is_in("--token=" SECRET));
    assert_true(secret_text_is_in("Bearer " SECRET));
    assert_true(secret_text_is_in("xya_0m349ZeX5RtOaPohwcjiVuTp4g")); // another brand, and half of it lost
    assert_true(secret_text_is_in("lkl_0m349ZeX5RtOaPohwcjiVuTp4g"));
    assert_true(secret_text_is_in("lki_0m349ZeX5RtOaPohwcjiVuTp4g"));
}

static void what_is_no_secret_is_not_taken_for_one(void **state) {
    (void)state;
    static const char *const words[] = {"",
                                        "lka_",
                                        "lka_short",
                                        "tok_01m8a4kcp2ezqab2ea7b7yrb2y",
                                        "cmp_01m8a4h3kseq58751epzk7nz17",
                                        "mbr_01m8a4h3mre73v7b6x3qr5bc28",
                                        "ent_01m8a53bv1ec4vrnmj1znyf5jc",
                                        "--secret-file=lka_token.txt",
                                        "550e8400-e29b-41d4-a716-446655440000",
                                        "rol_01m8ahy1c6ey09j6xr2027gsmc",
                                        "dra_01m8ahyghte4vb1mwh7e5xb0dr"};
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        if (secret_text_is_in(words[i]))
            fail_msg("%s is taken for a secret", words[i]);
}

static void a_file_is_read_without_the_white_space_around_its_line(void **state) {
    struct scene *scene = *state;
    static const char *const texts[] = {SECRET, SECRET "\n", SECRET "\r\n", "  " SECRET " \n", SECRET "\n\n"};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        enum exit_code code = EXIT_CODE_FAILED;
        put_file(scene, texts[i], strlen(texts[i]));
        const char *secret = secret_text_read(&scene->cli, scene->path, &code);
        assert_non_null(secret);
        assert_string_equal(secret, SECRET);
    }
}

static void a_file_that_holds_no_secret_is_told_without_showing_it(void **state) {
    struct scene *scene = *state;
    static const char *const texts[] = {"", "\n", "two words", "two\nlines", "caf\xc3\xa9", "tab\there"};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        enum exit_code code = EXIT_CODE_DONE;
        put_file(scene, texts[i], strlen(texts[i]));
        assert_null(secret_text_read(&scene->cli, scene->path, &code));
        assert_int_equal(code, EXIT_CODE_USAGE);
    }
    assert_non_null(strstr(get_said(scene), "holds no secret"));
    assert_null(strstr(get_said(scene), "lines"));
}

static void a_file_that_is_not_there_is_told_by_its_name(void **state) {
    struct scene *scene = *state;
    enum exit_code code = EXIT_CODE_DONE;
    assert_null(secret_text_read(&scene->cli, scene->path, &code));
    assert_int_equal(code, EXIT_CODE_USAGE);
    assert_non_null(strstr(get_said(scene), scene->path));
}

static void a_dash_is_standard_input(void **state) {
    struct scene *scene = *state;
    enum exit_code code;
    char text[] = SECRET "\n";
    scene->cli.in = fmemopen(text, strlen(text), "r");
    const char *secret = secret_text_read(&scene->cli, "-", &code);
    assert_non_null(secret);
    assert_string_equal(secret, SECRET);
    fclose(scene->cli.in);
}

static void a_new_file_is_its_owners_alone(void **state) {
    struct scene *scene = *state;
    enum exit_code code;
    struct stat status;
    int fd;
    mode_t mask = umask(0);
    assert_true(secret_text_create_file(&scene->cli, scene->path, &fd, &code));
    umask(mask);
    assert_int_equal(secret_text_write_file(&scene->cli, scene->path, fd, SECRET, "make another"),
                     EXIT_CODE_DONE);
    assert_int_equal(stat(scene->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(status.st_size, strlen(SECRET) + 1);
}

static void no_file_is_written_over_and_no_link_followed(void **state) {
    struct scene *scene = *state;
    enum exit_code code = EXIT_CODE_DONE;
    int fd;
    put_file(scene, "old", 3);
    assert_false(secret_text_create_file(&scene->cli, scene->path, &fd, &code));
    assert_int_equal(code, EXIT_CODE_REFUSED);
    unlink(scene->path);
    assert_int_equal(symlink("/dev/null", scene->path), 0);
    assert_false(secret_text_create_file(&scene->cli, scene->path, &fd, &code));
    assert_int_equal(code, EXIT_CODE_REFUSED);
}

static void a_file_for_a_secret_that_was_not_made_goes_again(void **state) {
    struct scene *scene = *state;
    enum exit_code code;
    int fd;
    assert_true(secret_text_create_file(&scene->cli, scene->path, &fd, &code));
    secret_text_discard_file(scene->path, fd);
    assert_int_equal(access(scene->path, F_OK), -1);
    assert_true(secret_text_create_file(&scene->cli, scene->path, &fd, &code));
    secret_text_discard_file(scene->path, fd);
}

static void a_full_disk_is_told(void **state) {
    struct scene *scene = *state;
    int fd = open("/dev/full", O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(secret_text_write_file(&scene->cli, "/dev/full", fd, SECRET, "make another"),
                     EXIT_CODE_FAILED);
    assert_non_null(strstr(get_said(scene), "No space left"));
    assert_null(strstr(get_said(scene), SECRET));
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        CASE(a_secret_is_recognised_wherever_it_stands_in_a_word),
        CASE(what_is_no_secret_is_not_taken_for_one),
        CASE(a_file_is_read_without_the_white_space_around_its_line),
        CASE(a_file_that_holds_no_secret_is_told_without_showing_it),
        CASE(a_file_that_is_not_there_is_told_by_its_name),
        CASE(a_dash_is_standard_input),
        CASE(a_new_file_is_its_owners_alone),
        CASE(no_file_is_written_over_and_no_link_followed),
        CASE(a_file_for_a_secret_that_was_not_made_goes_again),
        CASE(a_full_disk_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
