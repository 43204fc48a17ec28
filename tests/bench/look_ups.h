// How look-ups in a list are timed, whatever the list is: the same for all that bench_ip_set.py compares.
//
// FILE has one prefix a line, sorted, all of one family and apart. QUESTIONS has LOOK_UPS addresses of 16
// bytes each, an IPv4 address in the first four. Prints one JSON object a round: CPU-ns of a look-up, one
// after the other ("independent": the processor works on several at once, as in a batch) and each begun only
// when the one before is answered ("dependent"), and how many addresses were listed.
#ifndef LATCHKEY_TESTS_BENCH_LOOK_UPS_H
#define LATCHKEY_TESTS_BENCH_LOOK_UPS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LOOK_UPS_ROUNDS = 15, LOOK_UPS = 200000, LOOK_UPS_LINE_MAX = 48 };

struct look_ups {
    char (*lines)[LOOK_UPS_LINE_MAX];
    size_t line_count;
    bool is_v6;
    uint8_t (*questions)[16];
};

static inline void look_ups_fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(EXIT_FAILURE);
}

static inline void look_ups_read_lines(struct look_ups *look_ups, const char *path) {
    FILE *file = fopen(path, "r");
    size_t capacity = 0;
    char line[LOOK_UPS_LINE_MAX];
    while (file && fgets(line, sizeof(line), file)) {
        if (look_ups->line_count == capacity) {
            capacity = capacity ? 2 * capacity : 1024;
            look_ups->lines = realloc(look_ups->lines, capacity * sizeof(look_ups->lines[0]));
            if (!look_ups->lines)
                look_ups_fail("out of memory");
        }
        line[strcspn(line, "\n")] = '\0';
        memcpy(look_ups->lines[look_ups->line_count++], line, sizeof(line));
    }
    if (!file || look_ups->line_count == 0)
        look_ups_fail("the file has no prefix");
    fclose(file);
    look_ups->is_v6 = strchr(look_ups->lines[0], ':') != NULL;
}

static inline void look_ups_init(struct look_ups *look_ups, int argc, char **argv) {
    *look_ups = (struct look_ups){0};
    if (argc != 3)
        look_ups_fail("usage: FILE QUESTIONS");
    look_ups_read_lines(look_ups, argv[1]);
    look_ups->questions = calloc(LOOK_UPS, sizeof(look_ups->questions[0]));
    FILE *file = fopen(argv[2], "rb");
    if (!file || !look_ups->questions ||
        fread(look_ups->questions, sizeof(look_ups->questions[0]), LOOK_UPS, file) != LOOK_UPS)
        look_ups_fail("the questions can't be read");
    fclose(file);
}

static inline void look_ups_fini(struct look_ups *look_ups) {
    free(look_ups->lines);
    free(look_ups->questions);
}

static inline double look_ups_get_cpu_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

// `hot`: what look-ups read; `all`: with what else is kept beside it.
static inline void look_ups_print_memory(size_t hot_bytes, size_t all_bytes) {
    printf("{\"hot_bytes\": %zu, \"all_bytes\": %zu}\n", hot_bytes, all_bytes);
}

// Inlined with the look-up that it is given.
static inline __attribute__((always_inline)) void look_ups_run(bool (*is_listed)(size_t question)) {
    static const volatile size_t nothing = 0; // the compiler does not know that it is
    for (int round = 0; round < LOOK_UPS_ROUNDS; round++) {
        size_t listed = 0, listed_again = 0, mask = nothing;
        double started = look_ups_get_cpu_ns();
        for (size_t i = 0; i < LOOK_UPS; i++)
            listed += is_listed(i);
        double independent = (look_ups_get_cpu_ns() - started) / LOOK_UPS;
        started = look_ups_get_cpu_ns();
        for (size_t i = 0; i < LOOK_UPS; i++)
            listed_again += is_listed(i + (listed_again & mask));
        double dependent = (look_ups_get_cpu_ns() - started) / LOOK_UPS;
        if (listed != listed_again)
            look_ups_fail("a question was answered in two ways");
        printf("{\"independent\": %.2f, \"dependent\": %.2f, \"listed\": %zu}\n", independent, dependent,
               listed);
    }
}

#endif
