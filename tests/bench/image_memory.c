// What a validator's image of so many tokens takes, for bench_memory.py: nothing but the image is in the
// process.
//
// usage: bench-image-memory TOKENS LISTS
//
// Each token has one of LISTS lists of a hundred prefixes (none where LISTS is 0) and one of a thousand sets
// of permissions. Prints one JSON object: bytes a token that are resident, at most while it grew, and counted
// by the image itself; the bytes of all lists; CPU-ns of one put.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "services/validator/image/image.h"

enum { PREFIXES = 100, RULES = 1000 };

static void fail(const char *what) {
    fprintf(stderr, "bench-image-memory: %s\n", what);
    exit(EXIT_FAILURE);
}

// A line of /proc/self/status, in bytes.
static double read_status(const char *name) {
    FILE *file = fopen("/proc/self/status", "r");
    char line[128];
    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, name, strlen(name)) == 0) {
            fclose(file);
            return strtod(line + strlen(name), NULL) * 1024;
        }
    fail("the kernel does not say");
    return 0;
}

static uint64_t mix(uint64_t value) {
    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

static void fill_list(uint64_t list, struct ip_prefix prefixes[PREFIXES]) {
    for (uint64_t i = 0; i < PREFIXES; i++) {
        uint64_t drawn = mix(list * PREFIXES + i + 1);
        prefixes[i] = (struct ip_prefix){.address = {.family = IP_FAMILY_V4}, .bits = 32};
        memcpy(prefixes[i].address.bytes, &drawn, 4);
    }
}

static void put(struct image *image, uint64_t token, uint64_t lists) {
    char text[32];
    snprintf(text, sizeof(text), "things.do%u", (unsigned)(token % RULES));
    struct bytes grant = bytes_of_text(text);
    struct ip_prefix prefixes[PREFIXES];
    struct token_row row = {.company_id = {.bytes = {1}},
                            .suspended_until_ms = CLOCK_NEVER_MS,
                            .not_before_ms = CLOCK_ALWAYS_MS,
                            .expires_at_ms = CLOCK_NEVER_MS,
                            .rule = {.grants = &grant, .grant_count = 1}};
    const uint64_t drawn[2] = {mix(2 * token + 1), mix(2 * token + 2)};
    row.fingerprint = (struct fingerprint){{drawn[0], drawn[1]}};
    memcpy(row.token_id.bytes, drawn, sizeof(drawn));
    if (lists > 0) {
        fill_list(token % lists, prefixes);
        row.rule.ips = prefixes;
        row.rule.ip_count = PREFIXES;
    }
    if (image_put_token(image, &row) != STATUS_OK)
        fail("out of memory");
}

int main(int argc, char **argv) {
    if (argc != 3)
        fail("usage: TOKENS LISTS");
    uint64_t tokens = strtoull(argv[1], NULL, 10), lists = strtoull(argv[2], NULL, 10);
    struct reclaim reclaim = {0};
    struct fingerprint_key key = {{1, 2}};
    struct image *image;
    if (tokens == 0 || image_new(&reclaim, &key, LANE_SET_ALL, &image) != STATUS_OK)
        fail("out of memory");
    double before = read_status("VmRSS:");
    clock_t started = clock();
    for (uint64_t token = 0; token < tokens; token++) {
        put(image, token, lists);
        if (token % 256 == 0)
            reclaim_run(&reclaim);
    }
    reclaim_run(&reclaim);
    double put_ns = (double)(clock() - started) / CLOCKS_PER_SEC * 1e9 / (double)tokens;
    struct image_statistics counted = image_get_statistics(image);
    printf("{\"resident\": %.2f, \"peak\": %.2f, \"counted\": %.2f, \"list_bytes\": %zu, \"put_ns\": %.0f}\n",
           (read_status("VmRSS:") - before) / (double)tokens,
           (read_status("VmHWM:") - before) / (double)tokens, (double)counted.token_bytes / (double)tokens,
           counted.list_bytes, put_ns);
    reclaim_fini(&reclaim);
    image_free(image);
    return EXIT_SUCCESS;
}
