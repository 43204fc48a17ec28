// Metrics: what Prometheus would read.
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/app/metrics.h"
#include "tests/unit/unit.h"

static void write_two_families(struct metrics_writer *writer, void *context) {
    metrics_write_counter(writer, "calls_total", "Calls.", "code=\"OK\"", 3);
    metrics_write_counter(writer, "calls_total", "Calls.", "code=\"NotFound\"", 4);
    metrics_write_gauge(writer, "ready", "Ready.", NULL, 1);
    metrics_write_seconds_total(writer, "busy_seconds_total", "Busy.", NULL, UINT64_C(1234567891));
    metrics_write_histogram(writer, "seconds", "Time.", NULL, context);
}

static char *write_all(struct buffer *to) {
    struct metrics *metrics;
    struct histogram histogram = {0};
    histogram_add_ns(&histogram, 10000);                     // on the first bound
    histogram_add_ns(&histogram, 10001);                     // just above it
    histogram_add_ns(&histogram, UINT64_C(99) * 1000000000); // above all
    assert_int_equal(metrics_new(&metrics), STATUS_OK);
    assert_int_equal(metrics_register(metrics, write_two_families, &histogram), STATUS_OK);
    metrics_write(metrics, to);
    metrics_free(metrics);
    buffer_append_byte(to, 0);
    assert_false(to->failed);
    return (char *)to->data;
}

static void help_and_type_are_written_once_for_a_family(void **state) {
    (void)state;
    struct buffer to = {0};
    const char *text = write_all(&to);
    const char *first = strstr(text, "# HELP calls_total Calls.\n# TYPE calls_total counter\n");
    assert_non_null(first);
    assert_null(strstr(first + 1, "# HELP calls_total"));
    assert_non_null(strstr(text, "calls_total{code=\"OK\"} 3\ncalls_total{code=\"NotFound\"} 4\n"));
    assert_non_null(strstr(text, "ready 1\n"));
    assert_non_null(strstr(text, "# TYPE busy_seconds_total counter\nbusy_seconds_total 1.234567891\n"));
    buffer_fini(&to);
}

static void histogram_buckets_are_cumulative_and_their_bounds_inclusive(void **state) {
    (void)state;
    struct buffer to = {0};
    const char *text = write_all(&to);
    assert_non_null(strstr(text, "seconds_bucket{le=\"1e-05\"} 1\n"));
    assert_non_null(strstr(text, "seconds_bucket{le=\"2.5e-05\"} 2\n"));
    assert_non_null(strstr(text, "seconds_bucket{le=\"10\"} 2\n"));
    assert_non_null(strstr(text, "seconds_bucket{le=\"+Inf\"} 3\n"));
    assert_non_null(strstr(text, "seconds_sum 99.000020001\nseconds_count 3\n"));
    buffer_fini(&to);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_and_type_are_written_once_for_a_family),
        cmocka_unit_test(histogram_buckets_are_cumulative_and_their_bounds_inclusive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
