// Whether who decides ever waits for who changes: one thread reads an image of so many tokens, in turns of a
// loop, while another changes it.
//
// usage: bench-reader-pause TOKENS
//
// A round is three phases: nothing is changed; 5 000 tokens a second are, as a follower does; and the image
// grows and shrinks as fast as one thread can. Prints one JSON object a round: for each phase the CPU-ns that
// a turn of 16 look-ups took the reader (p50, p99, p99.9 and the longest), how many turns there were, and how
// often the reader has slept.
//
// why the CPU time, and the sleeps beside it: a machine that gives the core to somebody else spoils neither,
// and a reader that waited for the writer would show in the one or in the other.
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "common/base/clock.h"
#include "services/validator/image/image.h"
#include "services/validator/image/quiescence.h"

enum {
    ROUNDS = 7,
    TURN = 16,
    KNOWN = 1 << 16,
    PHASE_MS = 700,
    CHANGES = 20,
    PAUSE_NS = 4000000,
    GROWN = 20000
};
enum { CELLS = 1 << 16 }; // of 16 CPU-ns each, the last for all that are longer

enum phase { QUIET, FOLLOWED, GROWING, PHASES };
static const char *const names[] = {[QUIET] = "quiet", [FOLLOWED] = "followed", [GROWING] = "growing"};

static struct {
    struct reclaim reclaim;
    struct fingerprint_key key;
    struct image *image;
    uint64_t tokens;
    struct digest known[KNOWN];
    atomic_int phase; // PHASES = it is over
} bench;

struct found {
    uint64_t turns, longest_ns;
    long sleeps;
    uint32_t counts[CELLS];
};

static void fail(const char *what) {
    fprintf(stderr, "bench-reader-pause: %s\n", what);
    exit(EXIT_FAILURE);
}

static uint64_t mix(uint64_t value) {
    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

static uint64_t get_ns(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * UINT64_C(1000000000) + (uint64_t)time.tv_nsec;
}

// ---- tokens ----

// As good as any other 32 bytes, and sooner made than SHA-256's.
static struct digest make_digest(uint64_t token) {
    struct digest digest;
    const uint64_t words[4] = {mix(4 * token + 1), mix(4 * token + 2), mix(4 * token + 3),
                               mix(4 * token + 4)};
    memcpy(digest.bytes, words, sizeof(words));
    return digest;
}

static struct uuid make_id(uint64_t token) {
    struct uuid id;
    memcpy(id.bytes, make_digest(token).bytes, sizeof(id.bytes));
    return id;
}

// One of a thousand companies' and of as many rules.
static void put(uint64_t token, bool is_suspended) {
    char text[32];
    snprintf(text, sizeof(text), "things.do%u", (unsigned)(token % 1000));
    struct bytes grant = bytes_of_text(text);
    const struct digest digest = make_digest(token);
    const struct token_row row = {.fingerprint = fingerprint_of(&bench.key, &digest),
                                  .token_id = make_id(token),
                                  .company_id = make_id(UINT64_MAX / 8 + token % 1000),
                                  .is_suspended = is_suspended,
                                  .suspended_until_ms = CLOCK_NEVER_MS,
                                  .not_before_ms = CLOCK_ALWAYS_MS,
                                  .expires_at_ms = CLOCK_NEVER_MS,
                                  .rule = {.grants = &grant, .grant_count = 1}};
    if (image_put_token(bench.image, &row) != STATUS_OK)
        fail("out of memory");
}

// ---- who changes ----

static bool is_phase(enum phase phase) {
    return atomic_load_explicit(&bench.phase, memory_order_relaxed) == (int)phase;
}

static void follow(uint64_t *changed) {
    image_begin_pass(bench.image);
    for (unsigned i = 0; i < CHANGES; i++, ++*changed)
        put(*changed * 7919 % bench.tokens, *changed & 1);
    reclaim_run(&bench.reclaim);
    nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
}

static void grow_and_shrink(void) {
    image_begin_pass(bench.image);
    for (uint64_t token = bench.tokens; token < bench.tokens + GROWN; token++)
        put(token, false);
    reclaim_run(&bench.reclaim);
    image_begin_pass(bench.image);
    for (uint64_t token = bench.tokens; token < bench.tokens + GROWN; token++) {
        const struct uuid id = make_id(token);
        if (image_sweep(bench.image, IMAGE_TOKEN, &id) != STATUS_OK)
            fail("out of memory");
    }
    reclaim_run(&bench.reclaim);
}

static void *change(void *context) {
    uint64_t changed = 0;
    while (!is_phase(PHASES)) {
        if (is_phase(FOLLOWED))
            follow(&changed);
        else if (is_phase(GROWING))
            grow_and_shrink();
        else
            nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    }
    return context;
}

// ---- who decides ----

static uint64_t look_up(uint64_t first) {
    struct token_probe probes[TURN];
    uint64_t seen = 0;
    for (size_t i = 0; i < TURN; i++)
        image_begin_probe(bench.image, &bench.known[(first + i) % KNOWN], &probes[i]);
    for (size_t i = 0; i < TURN; i++)
        image_advance_probe(bench.image, &probes[i]);
    for (size_t i = 0; i < TURN; i++) {
        bool is_found;
        const struct token_record *record = image_end_probe(bench.image, &probes[i], &is_found);
        if (!is_found)
            fail("a token that is there was not found");
        seen += (uintptr_t)image_get_company(bench.image, record) & 1;
        seen += (uintptr_t)atomic_load(&image_get_policy(bench.image, record)->granted) & 1;
    }
    return seen;
}

static void note(struct found *found, uint64_t took_ns) {
    size_t cell = took_ns / 16;
    found->counts[cell < CELLS ? cell : CELLS - 1]++;
    found->turns++;
    found->longest_ns = took_ns > found->longest_ns ? took_ns : found->longest_ns;
}

static long count_sleeps(void) {
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nvcsw;
}

static void read_for_a_phase(enum phase phase, struct found *found) {
    static uint64_t first, seen;
    *found = (struct found){.sleeps = -count_sleeps()};
    atomic_store(&bench.phase, (int)phase);
    uint64_t until = get_ns(CLOCK_MONOTONIC) + PHASE_MS * UINT64_C(1000000);
    while (get_ns(CLOCK_MONOTONIC) < until) {
        uint64_t before = get_ns(CLOCK_THREAD_CPUTIME_ID);
        quiescence_go_online();
        seen += look_up(first += TURN);
        quiescence_go_offline();
        note(found, get_ns(CLOCK_THREAD_CPUTIME_ID) - before);
    }
    found->sleeps += count_sleeps();
}

static uint64_t get_quantile(const struct found *found, double share) {
    uint64_t wanted = (uint64_t)((double)found->turns * share), counted = 0;
    size_t cell = 0;
    while (cell < CELLS - 1 && (counted += found->counts[cell]) < wanted)
        cell++;
    return cell * 16;
}

static void print(enum phase phase, const struct found *found) {
    printf("%s\"%s\": {\"p50\": %lu, \"p99\": %lu, \"p99.9\": %lu, \"longest\": %lu, \"turns\": %lu, "
           "\"sleeps\": %ld}%s",
           phase == QUIET ? "{" : ", ", names[phase], get_quantile(found, 0.5), get_quantile(found, 0.99),
           get_quantile(found, 0.999), found->longest_ns, found->turns, found->sleeps,
           phase == PHASES - 1 ? "}\n" : "");
}

// ---- both ----

static void fill(void) {
    image_reserve_tokens(bench.image, bench.tokens);
    for (uint64_t token = 0; token < bench.tokens; token++)
        put(token, false);
    image_trim_tokens(bench.image);
    reclaim_run(&bench.reclaim);
    for (size_t i = 0; i < KNOWN; i++)
        bench.known[i] = make_digest(mix(i) % bench.tokens);
}

int main(int argc, char **argv) {
    static struct found found;
    pthread_t writer;
    bench.key = (struct fingerprint_key){{1, 2}};
    bench.tokens = argc == 2 ? strtoull(argv[1], NULL, 10) : 0;
    if (bench.tokens == 0)
        fail("usage: TOKENS");
    if (image_new(&bench.reclaim, &bench.key, LANE_SET_ALL, &bench.image) != STATUS_OK)
        fail("out of memory");
    fill();
    if (pthread_create(&writer, NULL, change, NULL) != 0)
        fail("no thread");
    quiescence_enter_thread();
    for (unsigned round = 0; round < ROUNDS; round++)
        for (enum phase phase = QUIET; phase < PHASES; phase++) {
            read_for_a_phase(phase, &found);
            print(phase, &found);
        }
    atomic_store(&bench.phase, PHASES);
    quiescence_leave_thread();
    pthread_join(writer, NULL);
    reclaim_fini(&bench.reclaim);
    image_free(bench.image);
    return EXIT_SUCCESS;
}
