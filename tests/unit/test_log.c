// What is written to standard error, read back through a pipe: one line an event, whatever the values hold.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/log.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

enum { LINE_MAX_BYTES = 4096, TIME_LENGTH = sizeof("2026-11-24T04:30:00.123Z") - 1 };

static int saved_stderr, reading_end;

static int capture(void **state) {
    (void)state;
    int ends[2];
    if (pipe(ends) != 0 || (saved_stderr = dup(STDERR_FILENO)) < 0 || dup2(ends[1], STDERR_FILENO) < 0)
        return -1;
    close(ends[1]);
    reading_end = ends[0];
    return fcntl(reading_end, F_SETFL, O_NONBLOCK);
}

static int release(void **state) {
    (void)state;
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    close(reading_end);
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_TEXT, "latchkey");
    return 0;
}

// What has been logged since the last call, as text; the caller's until the next one.
static const char *read_logged(void) {
    static char text[1 << 16];
    ssize_t len = read(reading_end, text, sizeof(text) - 1);
    text[len > 0 ? len : 0] = '\0';
    return text;
}

static const char *skip_time(const char *line) {
    struct tm utc;
    char *rest = strptime(line, "%Y-%m-%dT%H:%M:%S", &utc);
    assert_non_null(rest);
    assert_int_equal(rest[0], '.');
    assert_int_equal(line[TIME_LENGTH - 1], 'Z');
    assert_int_equal(line[TIME_LENGTH], ' ');
    return line + TIME_LENGTH + 1;
}

// From {"time":"..." on.
static const char *skip_json_time(const char *line) {
    static const char start[] = "{\"time\":\"";
    assert_memory_equal(line, start, sizeof(start) - 1);
    return line + sizeof(start) - 1 + TIME_LENGTH;
}

static void a_text_line_has_time_level_program_event_and_fields(void **state) {
    (void)state;
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_TEXT, "latchkeyd");
    log_event(LOG_LEVEL_INFO, "listening", LOG_TEXT("address", "127.0.0.1:7070"), LOG_INTEGER("loops", -2));
    assert_string_equal(skip_time(read_logged()),
                        "info  latchkeyd: listening address=127.0.0.1:7070 loops=-2\n");
}

static void an_event_needs_no_fields(void **state) {
    (void)state;
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_TEXT, "latchkeyd");
    log_event(LOG_LEVEL_ERROR, "giving up");
    assert_string_equal(skip_time(read_logged()), "error latchkeyd: giving up\n");
}

static void a_json_line_is_one_object(void **state) {
    (void)state;
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_JSON, "latchkeyd");
    log_event(LOG_LEVEL_WARNING, "slow", LOG_TEXT("peer", "::1"), LOG_INTEGER("ms", INT64_MIN));
    assert_string_equal(skip_json_time(read_logged()),
                        "\",\"level\":\"warning\",\"program\":\"latchkeyd\",\"event\":\"slow\","
                        "\"peer\":\"::1\",\"ms\":-9223372036854775808}\n");
}

static void the_time_is_now_in_utc(void **state) {
    (void)state;
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_TEXT, "latchkeyd");
    time_t before = time(NULL);
    log_event(LOG_LEVEL_INFO, "now");
    time_t after = time(NULL);
    struct tm utc = {0};
    assert_non_null(strptime(read_logged(), "%Y-%m-%dT%H:%M:%S", &utc));
    assert_in_range(timegm(&utc), before - 1, after); // time() may lag the fine clock by a tick
}

static void lower_levels_are_not_written(void **state) {
    (void)state;
    for (int least = LOG_LEVEL_DEBUG; least <= LOG_LEVEL_ERROR; least++) {
        log_configure((enum log_level)least, LOG_FORMAT_TEXT, "latchkeyd");
        for (int level = LOG_LEVEL_DEBUG; level <= LOG_LEVEL_ERROR; level++) {
            log_event((enum log_level)level, "event");
            assert_int_equal(log_is_enabled((enum log_level)level), level >= least);
            assert_int_equal(read_logged()[0] != '\0', level >= least);
        }
    }
}

static void hostile_values_are_escaped(void **state) {
    (void)state;
    static const struct {
        const char *value, *text, *json;
    } vectors[] = {
        {"plain-1.2/3:4", "plain-1.2/3:4", "plain-1.2/3:4"},
        {"two words", "\"two words\"", "two words"},
        {"a=b", "\"a=b\"", "a=b"},
        {"\"q\\", "\"\\\"q\\\\\"", "\\\"q\\\\"},
        {"a\nlevel=error", "\"a\\nlevel=error\"", "a\\u000alevel=error"},
        {"\x1B[31m\r\t", "\"\\x1b[31m\\x0d\\x09\"", "\\u001b[31m\\u000d\\u0009"},
        {"\x7F", "\"\\x7f\"", "\\u007f"},
        {"\xC2\x9B", "\"\\xc2\\x9b\"", "\\u009b"},
        {"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x94\x91", "\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x94\x91\"",
         "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x94\x91"},
        {"\xFF\xC3", "\"\\xff\\xc3\"", "\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xED\xA0\x80", "\"\\xed\\xa0\\x80\"", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(vectors); i++) {
        char expected[200];
        log_configure(LOG_LEVEL_INFO, LOG_FORMAT_TEXT, "p");
        log_event(LOG_LEVEL_INFO, "e", LOG_TEXT("v", vectors[i].value), LOG_INTEGER("n", 1));
        snprintf(expected, sizeof(expected), "info  p: e v=%s n=1\n", vectors[i].text);
        assert_string_equal(skip_time(read_logged()), expected);

        log_configure(LOG_LEVEL_INFO, LOG_FORMAT_JSON, "p");
        log_event(LOG_LEVEL_INFO, "e", LOG_TEXT("v", vectors[i].value), LOG_INTEGER("n", 1));
        snprintf(expected, sizeof(expected),
                 "\",\"level\":\"info\",\"program\":\"p\",\"event\":\"e\",\"v\":\"%s\",\"n\":1}\n",
                 vectors[i].json);
        assert_string_equal(skip_json_time(read_logged()), expected);
    }
}

static void a_text_that_is_empty_is_left_out(void **state) {
    (void)state;
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_TEXT, "p");
    log_event(LOG_LEVEL_INFO, "e", LOG_TEXT("v", NULL), LOG_TEXT("w", ""), LOG_INTEGER("n", 0));
    assert_string_equal(skip_time(read_logged()), "info  p: e n=0\n");
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_JSON, "p");
    log_event(LOG_LEVEL_INFO, "e", LOG_TEXT("v", ""), LOG_INTEGER("n", 0));
    assert_string_equal(skip_json_time(read_logged()),
                        "\",\"level\":\"info\",\"program\":\"p\",\"event\":\"e\",\"n\":0}\n");
}

static void what_a_thread_works_on_stands_in_each_of_its_lines(void **state) {
    (void)state;
    const struct log_field context[] = {LOG_TEXT("trace", "7f"), LOG_TEXT("request", "")};
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_TEXT, "p");
    log_set_context(context, ARRAY_LENGTH(context));
    log_event(LOG_LEVEL_INFO, "e", LOG_INTEGER("n", 1));
    assert_string_equal(skip_time(read_logged()), "info  p: e trace=7f n=1\n");
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_JSON, "p");
    log_event(LOG_LEVEL_INFO, "e");
    assert_string_equal(skip_json_time(read_logged()),
                        "\",\"level\":\"info\",\"program\":\"p\",\"event\":\"e\",\"trace\":\"7f\"}\n");
    log_set_context(NULL, 0);
    log_event(LOG_LEVEL_INFO, "e");
    assert_null(strstr(read_logged(), "7f"));
}

static void *log_once(void *context) {
    (void)context;
    log_event(LOG_LEVEL_INFO, "e");
    return NULL;
}

static void what_one_thread_works_on_is_in_no_line_of_another(void **state) {
    (void)state;
    const struct log_field context = LOG_TEXT("trace", "7f");
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_TEXT, "p");
    log_set_context(&context, 1);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, log_once, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_string_equal(skip_time(read_logged()), "info  p: e\n");
    log_set_context(NULL, 0);
}

static void a_long_value_leaves_what_the_thread_works_on_in_its_line(void **state) {
    (void)state;
    static char value[LINE_MAX_BYTES];
    memset(value, 'x', sizeof(value) - 1);
    const struct log_field context = LOG_TEXT("trace", "7f");
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_JSON, "p");
    log_set_context(&context, 1);
    log_event(LOG_LEVEL_INFO, "e", LOG_TEXT("v", value));
    log_set_context(NULL, 0);
    const char *line = read_logged();
    assert_non_null(strstr(line, "\"trace\":\"7f\""));
    assert_non_null(strstr(line, "\"cut\":true"));
}

static bool is_closed_well(const char *line, size_t len, enum log_format format) {
    const char *end = format == LOG_FORMAT_JSON ? ",\"cut\":true}\n" : " cut=true\n";
    return len >= strlen(end) && strcmp(line + len - strlen(end), end) == 0;
}

// Every length around the cut, with characters of several bytes and with characters that are escaped.
static void a_long_line_is_cut_between_characters_and_says_so(void **state) {
    (void)state;
    static const char *const characters[] = {"x", "\xE2\x82\xAC", "\x01", "\"", "\xFF"};
    static char value[5000];
    for (int format = LOG_FORMAT_TEXT; format <= LOG_FORMAT_JSON; format++) {
        log_configure(LOG_LEVEL_INFO, (enum log_format)format, "p");
        for (size_t i = 0; i < ARRAY_LENGTH(characters); i++) {
            size_t step = strlen(characters[i]);
            bool was_cut = false;
            for (size_t len = 0; len + step < sizeof(value); len += step) {
                memcpy(value + len, characters[i], step + 1);
                log_event(LOG_LEVEL_INFO, "e", LOG_TEXT("v", value), LOG_INTEGER("n", 1));
                const char *line = read_logged();
                size_t line_len = strlen(line);
                assert_in_range(line_len, 1, LINE_MAX_BYTES);
                assert_true(bytes_is_utf8(bytes_of(line, line_len)));
                assert_ptr_equal(strchr(line, '\n'), line + line_len - 1);
                bool is_cut = is_closed_well(line, line_len, (enum log_format)format);
                assert_true(is_cut || strstr(line, format == LOG_FORMAT_JSON ? "\"n\":1}" : " n=1"));
                assert_true(is_cut || !was_cut); // once too long, always too long
                was_cut = is_cut;
            }
            assert_true(was_cut);
        }
    }
}

static void fields_after_the_cut_are_left_out_whole(void **state) {
    (void)state;
    static char value[LINE_MAX_BYTES];
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_JSON, "p");
    memset(value, 'x', sizeof(value) - 1);
    log_event(LOG_LEVEL_INFO, "e", LOG_TEXT("v", value), LOG_INTEGER("n", 1), LOG_TEXT("t", "y"));
    const char *line = read_logged();
    assert_non_null(strstr(line, "xxx\",\"cut\":true}\n"));
    assert_null(strstr(line, "\"n\""));
    assert_null(strstr(line, "\"t\""));
}

static void a_line_is_written_without_allocating_and_keeps_errno(void **state) {
    (void)state;
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_TEXT, "p");
    allocation_failure_begin(1);
    errno = ENOENT;
    log_event(LOG_LEVEL_INFO, "e", LOG_TEXT("v", "w"));
    int error_after = errno;
    assert_int_equal(allocation_failure_end(), 0);
    assert_int_equal(error_after, ENOENT);
    assert_string_equal(skip_time(read_logged()), "info  p: e v=w\n");
}

static void random_bytes_never_make_a_second_line(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (int i = 0; i < 5000; i++) {
        char value[300];
        size_t len = seed_next_below(&seed, sizeof(value));
        seed_fill(&seed, (uint8_t *)value, len);
        value[len] = '\0';
        log_configure(LOG_LEVEL_INFO, i % 2 ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT, "p");
        log_event(LOG_LEVEL_INFO, "e", LOG_TEXT("v", value));
        const char *line = read_logged();
        assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
        assert_true(bytes_is_utf8(bytes_of_text(line)));
        for (const char *at = line; *at != '\n'; at++)
            assert_true((unsigned char)*at >= ' ' && *at != 0x7F);
    }
}

enum { WRITERS = 4, LINES_EACH = 200, VALUE_LENGTH = 40 };

static void *write_lines(void *context) {
    char value[VALUE_LENGTH + 1] = "";
    memset(value, *(const char *)context, VALUE_LENGTH);
    for (int i = 0; i < LINES_EACH; i++)
        log_event(LOG_LEVEL_INFO, "e", LOG_TEXT("v", value));
    return NULL;
}

static void lines_of_several_threads_are_not_mixed(void **state) {
    (void)state;
    static const char letters[WRITERS] = {'a', 'b', 'c', 'd'};
    pthread_t threads[WRITERS];
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_TEXT, "p");
    assert_true(fcntl(STDERR_FILENO, F_SETPIPE_SZ, 1 << 20) >
                0); // all lines fit: nobody waits for the reader
    for (size_t i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, (void *)(uintptr_t)&letters[i]), 0);
    for (size_t i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);

    static char all[1 << 20];
    size_t len = 0, lines = 0;
    ssize_t got;
    while ((got = read(reading_end, all + len, sizeof(all) - 1 - len)) > 0)
        len += (size_t)got;
    struct bytes rest = bytes_of(all, len);
    while (rest.len > 0) {
        struct bytes line = bytes_split(&rest, '\n');
        static const char before[] = "2026-11-24T04:30:00.123Z info  p: e v=";
        assert_int_equal(line.len, sizeof(before) - 1 + VALUE_LENGTH);
        for (size_t i = sizeof(before); i < line.len; i++)
            assert_int_equal(line.data[i], line.data[sizeof(before) - 1]);
        lines++;
    }
    assert_int_equal(lines, WRITERS * LINES_EACH);
}

#define CAPTURED(test) cmocka_unit_test_setup_teardown(test, capture, release)

int main(void) {
    const struct CMUnitTest tests[] = {
        CAPTURED(a_text_line_has_time_level_program_event_and_fields),
        CAPTURED(an_event_needs_no_fields),
        CAPTURED(a_json_line_is_one_object),
        CAPTURED(the_time_is_now_in_utc),
        CAPTURED(lower_levels_are_not_written),
        CAPTURED(hostile_values_are_escaped),
        CAPTURED(a_text_that_is_empty_is_left_out),
        CAPTURED(what_a_thread_works_on_stands_in_each_of_its_lines),
        CAPTURED(what_one_thread_works_on_is_in_no_line_of_another),
        CAPTURED(a_long_value_leaves_what_the_thread_works_on_in_its_line),
        CAPTURED(a_long_line_is_cut_between_characters_and_says_so),
        CAPTURED(fields_after_the_cut_are_left_out_whole),
        CAPTURED(a_line_is_written_without_allocating_and_keeps_errno),
        CAPTURED(random_bytes_never_make_a_second_line),
        CAPTURED(lines_of_several_threads_are_not_mixed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
