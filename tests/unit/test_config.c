// Settings: where values come from, how each type is typed, what is left over, and the sentences.
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/base/compiler.h"
#include "common/base/config.h"
#include "tests/unit/unit.h"

struct values {
    const char *listen, *password_file;
    bool allow_plaintext, tracing;
    int64_t workers, offset, staleness_ms, message_bytes, unbounded_ms;
    int log_level;
    struct config_file *files;
};

struct more_values {
    int64_t pool_size;
};

static const char *const levels[] = {"debug", "info", "warning", NULL};

#define MEMBER(name) .offset = offsetof(struct values, name)

static const struct setting server_settings[] = {
    {.name = "listen",
     .type = SETTING_TEXT,
     MEMBER(listen),
     .default_value = "127.0.0.1:7070",
     .value_name = "ADDRESS:PORT",
     .help = "Where gRPC is served, in a sentence that is long enough to be wrapped to a second line."},
    {.name = "smtp-password-file",
     .type = SETTING_TEXT,
     MEMBER(password_file),
     .help = "Where the password is."},
    {.name = "allow-plaintext",
     .type = SETTING_BOOLEAN,
     MEMBER(allow_plaintext),
     .help = "Serves without TLS."},
    {.name = "tracing", .type = SETTING_BOOLEAN, MEMBER(tracing), .default_value = "on", .help = "Traces."},
    {.name = "workers",
     .type = SETTING_INTEGER,
     MEMBER(workers),
     .default_value = "4",
     .min = 1,
     .max = 1024,
     .help = "Threads."},
    {.name = "offset",
     .type = SETTING_INTEGER,
     MEMBER(offset),
     .default_value = "0",
     .min = -10,
     .max = 10,
     .help = "May be negative."},
    {.name = "max-staleness",
     .type = SETTING_DURATION,
     MEMBER(staleness_ms),
     .default_value = "30s",
     .min = 1000,
     .max = 3 * 3600 * 1000,
     .help = "How old an answer may be."},
    {.name = "message-size",
     .type = SETTING_SIZE,
     MEMBER(message_bytes),
     .default_value = "1MiB",
     .min = 1,
     .max = INT64_C(4) << 30,
     .help = "The largest message."},
    {.name = "drain-delay",
     .type = SETTING_DURATION,
     MEMBER(unbounded_ms),
     .default_value = "0",
     .help = "How long to wait."},
    {.name = "log-level",
     .type = SETTING_CHOICE,
     MEMBER(log_level),
     .default_value = "info",
     .choices = levels,
     .help = "What is logged."},
};

// The same table with files, those that pass unknown names over too.
static struct setting settings_with_files[ARRAY_LENGTH(server_settings) + 1];

static const struct setting database_settings[] = {
    {.name = "database-pool-size",
     .type = SETTING_INTEGER,
     .default_value = "8",
     .min = 1,
     .help = "Connections."},
};

struct reading {
    struct values values;
    struct more_values more;
    char error[1024];
    char *argv[16];
    int argc;
};

// Reads "latchkeyd" and `arguments` (NULL-terminated).
static enum status read_with(struct reading *reading, const char *const *arguments,
                             const char *const *environment) {
    memset(reading, 0x5A, sizeof(*reading)); // whatever is not set stands out
    reading->error[0] = '\0';
    reading->argc = 0;
    reading->argv[reading->argc++] = (char *)"latchkeyd";
    for (; *arguments; arguments++)
        reading->argv[reading->argc++] = (char *)*arguments; // only moved, never written to
    reading->argv[reading->argc] = NULL;
    const struct config_table tables[] = {
        {"Server", server_settings, ARRAY_LENGTH(server_settings), &reading->values},
        {"Database", database_settings, ARRAY_LENGTH(database_settings), &reading->more},
    };
    return config_read(tables, ARRAY_LENGTH(tables), &reading->argc, reading->argv,
                       (char *const *)environment, reading->error, sizeof(reading->error));
}

#define ARGUMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NO_ARGUMENTS ((const char *const[]){NULL})
#define ENVIRONMENT(...) ARGUMENTS(__VA_ARGS__)

static void without_input_every_value_is_its_default(void **state) {
    (void)state;
    struct reading reading;
    assert_int_equal(read_with(&reading, NO_ARGUMENTS, NULL), STATUS_OK);
    assert_string_equal(reading.values.listen, "127.0.0.1:7070");
    assert_null(reading.values.password_file);
    assert_false(reading.values.allow_plaintext);
    assert_true(reading.values.tracing);
    assert_int_equal(reading.values.workers, 4);
    assert_int_equal(reading.values.staleness_ms, 30000);
    assert_int_equal(reading.values.message_bytes, 1048576);
    assert_int_equal(reading.values.unbounded_ms, 0);
    assert_int_equal(reading.values.log_level, 1);
    assert_int_equal(reading.more.pool_size, 8);
    assert_int_equal(reading.argc, 1);
}

static void the_command_line_beats_the_environment_beats_the_default(void **state) {
    (void)state;
    struct reading reading;
    const char *const *environment =
        ENVIRONMENT("LATCHKEY_WORKERS=5", "LATCHKEY_MAX_STALENESS=40s", "WORKERS=9", "LATCHKEY_WORKERS_X=9",
                    "LATCHKEY_LISTEN=", "LATCHKEY_TOKEN=lk_x");
    assert_int_equal(read_with(&reading, ARGUMENTS("--workers", "6"), environment), STATUS_OK);
    assert_int_equal(reading.values.workers, 6);
    assert_int_equal(reading.values.staleness_ms, 40000);
    assert_string_equal(reading.values.listen, "127.0.0.1:7070");
}

static void the_last_of_two_arguments_counts(void **state) {
    (void)state;
    struct reading reading;
    assert_int_equal(read_with(&reading, ARGUMENTS("--workers=5", "--workers", "6"), NULL), STATUS_OK);
    assert_int_equal(reading.values.workers, 6);
}

static void tables_are_read_together(void **state) {
    (void)state;
    struct reading reading;
    assert_int_equal(read_with(&reading, ARGUMENTS("--database-pool-size=3", "--workers", "2"), NULL),
                     STATUS_OK);
    assert_int_equal(reading.more.pool_size, 3);
    assert_int_equal(reading.values.workers, 2);
}

static void a_text_may_hold_anything_also_equals_signs(void **state) {
    (void)state;
    struct reading reading;
    assert_int_equal(read_with(&reading, ARGUMENTS("--listen=a=b", "--smtp-password-file", "--x"), NULL),
                     STATUS_OK);
    assert_string_equal(reading.values.listen, "a=b");
    assert_string_equal(reading.values.password_file, "--x");
    assert_int_equal(read_with(&reading, ARGUMENTS("--listen="), NULL), STATUS_OK);
    assert_string_equal(reading.values.listen, "");
}

static void booleans_need_no_value_and_have_a_negative(void **state) {
    (void)state;
    struct reading reading;
    assert_int_equal(read_with(&reading, ARGUMENTS("--allow-plaintext", "--no-tracing"), NULL), STATUS_OK);
    assert_true(reading.values.allow_plaintext);
    assert_false(reading.values.tracing);
    static const struct {
        const char *argument;
        bool value;
    } forms[] = {{"--tracing=true", true}, {"--tracing=Yes", true},    {"--tracing=on", true},
                 {"--tracing=1", true},    {"--tracing=FALSE", false}, {"--tracing=no", false},
                 {"--tracing=off", false}, {"--tracing=0", false}};
    for (size_t i = 0; i < ARRAY_LENGTH(forms); i++) {
        assert_int_equal(read_with(&reading, ARGUMENTS(forms[i].argument), NULL), STATUS_OK);
        assert_int_equal(reading.values.tracing, forms[i].value);
    }
}

static void a_boolean_does_not_swallow_the_next_argument(void **state) {
    (void)state;
    struct reading reading;
    assert_int_equal(read_with(&reading, ARGUMENTS("--allow-plaintext", "false"), NULL), STATUS_OK);
    assert_true(reading.values.allow_plaintext);
    assert_int_equal(reading.argc, 2);
    assert_string_equal(reading.argv[1], "false");
}

static void numbers_are_read_with_their_units(void **state) {
    (void)state;
    static const struct {
        const char *argument;
        size_t offset;
        int64_t value;
    } vectors[] = {
        {"--workers=1024", offsetof(struct values, workers), 1024},
        {"--offset=-10", offsetof(struct values, offset), -10},
        {"--drain-delay=0", offsetof(struct values, unbounded_ms), 0},
        {"--drain-delay=0ms", offsetof(struct values, unbounded_ms), 0},
        {"--drain-delay=500ms", offsetof(struct values, unbounded_ms), 500},
        {"--drain-delay=30s", offsetof(struct values, unbounded_ms), 30000},
        {"--drain-delay=10m", offsetof(struct values, unbounded_ms), 600000},
        {"--drain-delay=72h", offsetof(struct values, unbounded_ms), 259200000},
        {"--drain-delay=7d", offsetof(struct values, unbounded_ms), 604800000},
        {"--drain-delay=106751991167d", offsetof(struct values, unbounded_ms), INT64_C(9223372036828800000)},
        {"--message-size=65536", offsetof(struct values, message_bytes), 65536},
        {"--message-size=64KiB", offsetof(struct values, message_bytes), 65536},
        {"--message-size=1MiB", offsetof(struct values, message_bytes), 1048576},
        {"--message-size=2GiB", offsetof(struct values, message_bytes), INT64_C(2147483648)},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(vectors); i++) {
        struct reading reading;
        int64_t value;
        assert_int_equal(read_with(&reading, ARGUMENTS(vectors[i].argument), NULL), STATUS_OK);
        memcpy(&value, (const char *)&reading.values + vectors[i].offset, sizeof(value));
        assert_int_equal(value, vectors[i].value);
    }
}

static void what_is_not_allowed_is_refused_with_what_is(void **state) {
    (void)state;
    static const struct {
        const char *argument, *error;
    } vectors[] = {
        {"--workers=0", "--workers: \"0\" is not allowed; give a whole number, from 1 to 1024"},
        {"--workers=1025", "--workers: \"1025\" is not allowed; give a whole number, from 1 to 1024"},
        {"--workers=", "--workers: \"\" is not allowed; give a whole number, from 1 to 1024"},
        {"--workers=4s", "--workers: \"4s\" is not allowed; give a whole number, from 1 to 1024"},
        {"--workers=99999999999999999999",
         "--workers: \"99999999999999999999\" is not allowed; give a whole number, from 1 to 1024"},
        {"--offset=--1", "--offset: \"--1\" is not allowed; give a whole number, from -10 to 10"},
        {"--offset=-11", "--offset: \"-11\" is not allowed; give a whole number, from -10 to 10"},
        {"--max-staleness=30",
         "--max-staleness: \"30\" is not allowed; give a duration such as 500ms, 30s, 10m, 72h or "
         "7d, from 1s to 3h"},
        {"--max-staleness=-1s",
         "--max-staleness: \"-1s\" is not allowed; give a duration such as 500ms, 30s, 10m, 72h "
         "or 7d, from 1s to 3h"},
        {"--drain-delay=106751991168d",
         "--drain-delay: \"106751991168d\" is not allowed; give a duration such as 500ms, "
         "30s, 10m, 72h or 7d, at least 0"},
        {"--message-size=1MB",
         "--message-size: \"1MB\" is not allowed; give a size such as 65536, 64KiB, 1MiB or 2GiB, "
         "from 1 to 4GiB"},
        {"--log-level=trace", "--log-level: \"trace\" is not allowed; give debug, info or warning"},
        {"--tracing=perhaps", "--tracing: \"perhaps\" is not allowed; give true or false"},
        {"--no-tracing=true", "--no-tracing: only true-or-false settings have a --no- form, without a value"},
        {"--no-workers", "--no-workers: only true-or-false settings have a --no- form, without a value"},
        {"--workers", "--workers: a value is missing"},
        {"--lissten", "--lissten: no such setting; did you mean --listen?"},
        {"--databse-pool-size=1", "--databse-pool-size: no such setting; did you mean --database-pool-size?"},
        {"--replicas=3", "--replicas: no such setting; --help lists them all"},
        {"--=3", "--: no such setting; --help lists them all"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(vectors); i++) {
        struct reading reading;
        assert_int_equal(read_with(&reading, ARGUMENTS(vectors[i].argument), NULL), STATUS_INVALID);
        assert_string_equal(reading.error, vectors[i].error);
    }
}

static void a_bad_value_in_the_environment_names_the_variable(void **state) {
    (void)state;
    struct reading reading;
    assert_int_equal(read_with(&reading, NO_ARGUMENTS, ENVIRONMENT("LATCHKEY_MAX_STALENESS=1ms")),
                     STATUS_INVALID);
    assert_string_equal(reading.error,
                        "LATCHKEY_MAX_STALENESS: \"1ms\" is not allowed; give a duration such as 500ms, "
                        "30s, 10m, 72h or 7d, from 1s to 3h");
}

static void a_long_error_is_cut_to_the_callers_size(void **state) {
    (void)state;
    char long_argument[1000] = "--workers=";
    memset(long_argument + strlen(long_argument), 'x', sizeof(long_argument) - strlen(long_argument) - 1);
    long_argument[sizeof(long_argument) - 1] = '\0';
    struct values values;
    const struct config_table table = {"Server", server_settings, ARRAY_LENGTH(server_settings), &values};
    char error[20], *argv[] = {(char *)"latchkeyd", long_argument, NULL};
    int argc = 2;
    assert_int_equal(config_read(&table, 1, &argc, argv, NULL, error, sizeof(error)), STATUS_INVALID);
    assert_string_equal(error, "--workers: \"xxxxxxx");
}

static void what_is_no_setting_is_left_in_order(void **state) {
    (void)state;
    struct reading reading;
    const char *const *arguments = ARGUMENTS("token", "--workers", "2", "-", "-h", "--help", "--version",
                                             "--allow-plaintext", "create", "--", "--workers", "--", "x");
    static const char *const expected[] = {"latchkeyd", "token",  "-",         "-h", "--help",
                                           "--version", "create", "--workers", "--", "x"};
    assert_int_equal(read_with(&reading, arguments, NULL), STATUS_OK);
    assert_int_equal(reading.argc, ARRAY_LENGTH(expected));
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++)
        assert_string_equal(reading.argv[i], expected[i]);
    assert_null(reading.argv[reading.argc]);
    assert_int_equal(reading.values.workers, 2);
}

static void a_program_without_even_a_name_has_no_arguments(void **state) {
    (void)state;
    struct values values;
    const struct config_table table = {"Server", server_settings, ARRAY_LENGTH(server_settings), &values};
    char error[20], *argv[] = {NULL};
    int argc = 0;
    assert_int_equal(config_read(&table, 1, &argc, argv, NULL, error, sizeof(error)), STATUS_OK);
    assert_int_equal(argc, 0);
}

static void variables_are_named_after_settings(void **state) {
    (void)state;
    char name[CONFIG_ENVIRONMENT_NAME_SIZE];
    config_format_environment_name("smtp-password-file", name);
    assert_string_equal(name, "LATCHKEY_SMTP_PASSWORD_FILE");
}

static void help_lists_every_setting_with_default_range_and_variable(void **state) {
    (void)state;
    static const char expected[] =
        "Server:\n"
        "  --listen ADDRESS:PORT\n"
        "      Where gRPC is served, in a sentence that is long enough to be wrapped to a\n"
        "      second line. (default 127.0.0.1:7070; LATCHKEY_LISTEN)\n"
        "  --smtp-password-file TEXT\n"
        "      Where the password is. (no default; LATCHKEY_SMTP_PASSWORD_FILE)\n"
        "  --allow-plaintext\n"
        "      Serves without TLS. (default false; LATCHKEY_ALLOW_PLAINTEXT)\n"
        "  --tracing\n"
        "      Traces. (default on; LATCHKEY_TRACING)\n"
        "  --workers NUMBER\n"
        "      Threads. (default 4; from 1 to 1024; LATCHKEY_WORKERS)\n"
        "  --offset NUMBER\n"
        "      May be negative. (default 0; from -10 to 10; LATCHKEY_OFFSET)\n"
        "  --max-staleness DURATION\n"
        "      How old an answer may be. (default 30s; from 1s to 3h;\n"
        "      LATCHKEY_MAX_STALENESS)\n"
        "  --message-size SIZE\n"
        "      The largest message. (default 1MiB; from 1 to 4GiB; LATCHKEY_MESSAGE_SIZE)\n"
        "  --drain-delay DURATION\n"
        "      How long to wait. (default 0; at least 0; LATCHKEY_DRAIN_DELAY)\n"
        "  --log-level WORD\n"
        "      What is logged. (default info; debug, info or warning; LATCHKEY_LOG_LEVEL)\n"
        "\n"
        "Database:\n"
        "  --database-pool-size NUMBER\n"
        "      Connections. (default 8; at least 1; LATCHKEY_DATABASE_POOL_SIZE)\n";
    const struct config_table tables[] = {
        {"Server", server_settings, ARRAY_LENGTH(server_settings), NULL},
        {"Database", database_settings, ARRAY_LENGTH(database_settings), NULL},
    };
    char text[sizeof(expected) + 100] = "";
    FILE *to = fmemopen(text, sizeof(text), "w");
    assert_non_null(to);
    config_print_help(tables, ARRAY_LENGTH(tables), to);
    fclose(to);
    assert_string_equal(text, expected);
}

// ---- files ----

// A file that is gone with the process.
static const char *make_file(const char *text) {
    static char paths[8][64];
    static size_t count;
    int fd = memfd_create("settings", 0);
    assert_true(fd >= 0 && count < ARRAY_LENGTH(paths));
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    snprintf(paths[count], sizeof(paths[count]), "/proc/self/fd/%d", fd);
    return paths[count++];
}

static enum status read_files(struct reading *reading, bool passes_unknown, const char *const *arguments,
                              const char *const *environment) {
    memcpy(settings_with_files, server_settings, sizeof(server_settings));
    settings_with_files[ARRAY_LENGTH(server_settings)] = (struct setting){.name = "config",
                                                                          .type = SETTING_FILES,
                                                                          MEMBER(files),
                                                                          .passes_unknown = passes_unknown,
                                                                          .help = "A file of settings."};
    reading->argc = 0;
    reading->argv[reading->argc++] = (char *)"latchkeyd";
    for (; *arguments; arguments++)
        reading->argv[reading->argc++] = (char *)*arguments;
    reading->argv[reading->argc] = NULL;
    const struct config_table table = {"Server", settings_with_files, ARRAY_LENGTH(settings_with_files),
                                       &reading->values};
    return config_read(&table, 1, &reading->argc, reading->argv, (char *const *)environment, reading->error,
                       sizeof(reading->error));
}

static void a_file_says_what_nobody_else_does(void **state) {
    (void)state;
    struct reading reading;
    const char *path = make_file("# ours\n\n  workers = 5\nmax-staleness=40s\nlisten =\n"
                                 "smtp-password-file =\t/a b=c \nlog-level = debug");
    assert_int_equal(read_files(&reading, false, ARGUMENTS("--log-level=warning", "--config", path),
                                ENVIRONMENT("LATCHKEY_MAX_STALENESS=50s")),
                     STATUS_OK);
    assert_int_equal(reading.values.workers, 5);
    assert_int_equal(reading.values.staleness_ms, 50000);
    assert_int_equal(reading.values.log_level, 2);
    assert_string_equal(reading.values.listen, "127.0.0.1:7070");
    assert_string_equal(reading.values.password_file, "/a b=c");
    assert_int_equal(reading.argc, 1);
    config_files_free(reading.values.files);
}

static void of_two_files_the_later_one_wins(void **state) {
    (void)state;
    struct reading reading;
    const char *first = make_file("workers = 5\noffset = 1\n"), *second = make_file("workers = 6\n");
    char variable[100];
    snprintf(variable, sizeof(variable), "LATCHKEY_CONFIG=%s", first);
    assert_int_equal(read_files(&reading, false, ARGUMENTS("--config", first, "--config", second), NULL),
                     STATUS_OK);
    assert_int_equal(reading.values.workers, 6);
    assert_int_equal(reading.values.offset, 1);
    config_files_free(reading.values.files);
    assert_int_equal(read_files(&reading, false, NO_ARGUMENTS, ENVIRONMENT(variable)), STATUS_OK);
    assert_int_equal(reading.values.workers, 5);
    config_files_free(reading.values.files);
    assert_int_equal(read_files(&reading, false, ARGUMENTS("--config", second), ENVIRONMENT(variable)),
                     STATUS_OK);
    assert_int_equal(reading.values.offset, 0);
    config_files_free(reading.values.files);
}

static void every_mistake_is_told_with_its_place(void **state) {
    (void)state;
    struct reading reading;
    char expected[sizeof(reading.error)];
    const char *path = make_file("worker = 5\nworkers\r\nconfig = x\noffset = 11\n");
    assert_int_equal(read_files(&reading, false, ARGUMENTS("--config", path, "--listne=x"),
                                ENVIRONMENT("LATCHKEY_LOG_LEVEL=loud")),
                     STATUS_INVALID);
    snprintf(expected, sizeof(expected),
             "%s:1: worker: no such setting; did you mean workers?\n"
             "%s:2: it holds a control character; lines end with a line feed alone\n"
             "%s:3: a file names no other; say --config again\n"
             "%s:4: offset: \"11\" is not allowed; give a whole number, from -10 to 10\n",
             path, path, path, path);
    assert_memory_equal(reading.error, expected, strlen(expected));
    assert_non_null(strstr(reading.error, "\nLATCHKEY_LOG_LEVEL: "));
    assert_non_null(strstr(reading.error, "\n--listne: no such setting; did you mean --listen?"));
    config_files_free(reading.values.files);
}

static void a_file_that_is_not_there_is_a_mistake(void **state) {
    (void)state;
    struct reading reading;
    assert_int_equal(read_files(&reading, false, ARGUMENTS("--config", "/nowhere/x.conf"), NULL),
                     STATUS_INVALID);
    assert_string_equal(reading.error, "--config: /nowhere/x.conf is not there");
    config_files_free(reading.values.files);
}

static void a_file_that_can_not_be_read_now_is_named(void **state) {
    (void)state;
    struct reading reading;
    char expected[sizeof(reading.error)];
    const char *path = make_file("workers = 5\n");
    struct rlimit files;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, files.rlim_max}), 0);
    enum status status = read_files(&reading, false, ARGUMENTS("--config", path), NULL);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    assert_int_equal(status, STATUS_UNAVAILABLE);
    snprintf(expected, sizeof(expected), "--config: %s can't be read now", path);
    assert_string_equal(reading.error, expected);
    config_files_free(reading.values.files);
}

static void names_of_other_programs_are_passed_over_where_that_is_wanted(void **state) {
    (void)state;
    struct reading reading;
    const char *path = make_file("theirs = 1\nworkers = 7\n");
    assert_int_equal(read_files(&reading, true, ARGUMENTS("--config", path), NULL), STATUS_OK);
    assert_int_equal(reading.values.workers, 7);
    config_files_free(reading.values.files);
}

// ---- manual page ----

static void the_manual_has_every_setting_and_no_line_that_is_a_macro_by_chance(void **state) {
    (void)state;
    static const struct setting odd[] = {
        {.name = "odd",
         .type = SETTING_TEXT,
         .value_name = "A.B",
         .help = ".Sh is no macro here. 'quoted' words, a \\ and a - stay what they are."}};
    struct values values;
    const struct config_table table = {"Odd", odd, 1, &values};
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);
    config_print_manual(&table, 1, to);
    fclose(to);
    assert_string_equal(text, ".Ss \\&Odd\n.Bl -tag -width Ds\n.It Fl \\&\\-odd Ar \\&A.B\n"
                              "\\&.Sh is no macro here.\n"
                              "\\(aqquoted\\(aq words, a \\e and a \\- stay what they are.\n"
                              "(no default; LATCHKEY_ODD)\n.El\n");
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_input_every_value_is_its_default),
        cmocka_unit_test(the_command_line_beats_the_environment_beats_the_default),
        cmocka_unit_test(the_last_of_two_arguments_counts),
        cmocka_unit_test(tables_are_read_together),
        cmocka_unit_test(a_text_may_hold_anything_also_equals_signs),
        cmocka_unit_test(booleans_need_no_value_and_have_a_negative),
        cmocka_unit_test(a_boolean_does_not_swallow_the_next_argument),
        cmocka_unit_test(numbers_are_read_with_their_units),
        cmocka_unit_test(what_is_not_allowed_is_refused_with_what_is),
        cmocka_unit_test(a_bad_value_in_the_environment_names_the_variable),
        cmocka_unit_test(a_long_error_is_cut_to_the_callers_size),
        cmocka_unit_test(what_is_no_setting_is_left_in_order),
        cmocka_unit_test(a_program_without_even_a_name_has_no_arguments),
        cmocka_unit_test(variables_are_named_after_settings),
        cmocka_unit_test(help_lists_every_setting_with_default_range_and_variable),
        cmocka_unit_test(a_file_says_what_nobody_else_does),
        cmocka_unit_test(of_two_files_the_later_one_wins),
        cmocka_unit_test(every_mistake_is_told_with_its_place),
        cmocka_unit_test(a_file_that_is_not_there_is_a_mistake),
        cmocka_unit_test(a_file_that_can_not_be_read_now_is_named),
        cmocka_unit_test(names_of_other_programs_are_passed_over_where_that_is_wanted),
        cmocka_unit_test(the_manual_has_every_setting_and_no_line_that_is_a_macro_by_chance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
