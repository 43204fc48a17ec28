// Sets of patterns against the linear scan with domain_pattern_matches().
#include <stdlib.h>
#include <string.h>

#include "common/access/domain.h"
#include "common/access/domain_set.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

enum { PATTERNS_MAX = 40, TEXT_MAX = 64 };

struct list {
    char texts[PATTERNS_MAX][TEXT_MAX];
    struct bytes patterns[PATTERNS_MAX];
    size_t count;
};

// Few labels, so that names nest and meet; some are prefixes of others.
static size_t draw_name(struct seed *seed, char *to) {
    static const char *const labels[] = {"a", "b", "ab", "a-b", "aa", "b0"};
    static const char *const ends[] = {"example.com", "example.net", "ample.com", "test"};
    size_t count = seed_next_below(seed, 4);
    to[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        strncat(to, labels[seed_next_below(seed, ARRAY_LENGTH(labels))], 8);
        strncat(to, ".", 2);
    }
    strncat(to, ends[seed_next_below(seed, ARRAY_LENGTH(ends))], 16);
    return strlen(to);
}

static void draw_list(struct seed *seed, struct list *ret) {
    ret->count = seed_next_below(seed, PATTERNS_MAX + 1);
    for (size_t i = 0; i < ret->count; i++) {
        bool is_wildcard = seed_next_below(seed, 2);
        memcpy(ret->texts[i], "*.", 3);
        draw_name(seed, ret->texts[i] + (is_wildcard ? 2 : 0));
        ret->patterns[i] = bytes_of_text(ret->texts[i]);
    }
}

static struct domain_pattern to_pattern(struct bytes text) {
    struct domain_pattern pattern = {.is_wildcard = bytes_has_prefix(text, BYTES_LITERAL("*."))};
    if (pattern.is_wildcard)
        text = bytes_of(text.data + 2, text.len - 2);
    memcpy(pattern.name.text, text.data, text.len);
    pattern.name.len = (uint8_t)text.len;
    return pattern;
}

// The exact pattern, else the longest wildcard.
static struct bytes scan(const struct list *list, struct bytes name) {
    struct bytes best = BYTES_EMPTY;
    for (size_t i = 0; i < list->count; i++) {
        struct domain_pattern pattern = to_pattern(list->patterns[i]);
        if (!domain_pattern_matches(&pattern, name))
            continue;
        if (!pattern.is_wildcard)
            return list->patterns[i];
        if (list->patterns[i].len > best.len)
            best = list->patterns[i];
    }
    return best;
}

static size_t split(struct bytes name, struct bytes *ret_labels) {
    size_t count = 0;
    while (name.data)
        ret_labels[count++] = bytes_split(&name, '.');
    return count;
}

static size_t count_common_labels(struct bytes a, struct bytes b) {
    struct bytes a_labels[16], b_labels[16];
    size_t a_count = split(a, a_labels), b_count = split(b, b_labels), common = 0;
    while (common < a_count && common < b_count &&
           bytes_is_equal(a_labels[a_count - 1 - common], b_labels[b_count - 1 - common]))
        common++;
    return common;
}

static size_t get_nearness(struct bytes pattern, struct bytes name) {
    struct domain_pattern parts = to_pattern(pattern);
    return count_common_labels(domain_name_get_bytes(&parts.name), name);
}

static void compare(const struct domain_set *set, const struct list *list, struct bytes name) {
    struct bytes found = domain_set_find(set, name), expected = scan(list, name);
    assert_true(bytes_is_equal(found, expected));

    struct bytes nearest = domain_set_find_nearest(set, name);
    size_t best = 0;
    for (size_t i = 0; i < list->count; i++) {
        size_t nearness = get_nearness(list->patterns[i], name);
        best = nearness > best ? nearness : best;
    }
    assert_int_equal(nearest.len > 0, best > 0);
    if (best > 0)
        assert_int_equal(get_nearness(nearest, name), best);
}

static void sets_answer_like_the_list(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (unsigned round = 0; round < 3000; round++) {
        struct list list;
        draw_list(&seed, &list);
        struct domain_set *set = domain_set_new(list.patterns, list.count);
        assert_non_null(set);
        assert_int_equal(domain_set_get_count(set), list.count);
        for (unsigned i = 0; i < 30; i++) {
            char name[TEXT_MAX];
            size_t len = draw_name(&seed, name);
            compare(set, &list, bytes_of(name, len));
        }
        domain_set_free(set);
    }
}

static int compare_patterns(const void *a, const void *b) {
    return strcmp(a, b);
}

static bool is_same_list(struct list *a, struct list *b) {
    qsort(a->texts, a->count, sizeof(a->texts[0]), compare_patterns);
    qsort(b->texts, b->count, sizeof(b->texts[0]), compare_patterns);
    bool is_same = a->count == b->count;
    for (size_t i = 0; i < a->count && is_same; i++)
        is_same = strcmp(a->texts[i], b->texts[i]) == 0;
    return is_same;
}

static void sets_of_the_same_patterns_in_any_order_are_equal(void **state) {
    (void)state;
    static const uint64_t keys[2] = {1, UINT64_C(0x9E3779B97F4A7C15)};
    struct seed seed = seed_new();
    for (unsigned round = 0; round < 3000; round++) {
        struct list a, b;
        draw_list(&seed, &a);
        b = a;
        for (size_t i = 0; i < b.count; i++)
            b.patterns[i] = a.patterns[b.count - 1 - i];
        if (round % 2)
            draw_list(&seed, &b);
        struct domain_set *of_a = domain_set_new(a.patterns, a.count),
                          *of_b = domain_set_new(b.patterns, b.count);
        bool is_same = is_same_list(&a, &b);
        assert_int_equal(domain_set_is_equal(of_a, of_b), is_same);
        assert_int_equal(domain_set_get_hash(of_a, keys) == domain_set_get_hash(of_b, keys), is_same);
        assert_false(domain_set_is_equal(of_a, NULL));
        domain_set_free(of_a);
        domain_set_free(of_b);
    }
    assert_true(domain_set_is_equal(NULL, NULL));
}

static void the_exact_pattern_goes_before_wildcards_and_the_longer_wildcard_first(void **state) {
    (void)state;
    static const struct bytes patterns[] = {
        BYTES_LITERAL("*.example.com"),
        BYTES_LITERAL("*.a.example.com"),
        BYTES_LITERAL("b.a.example.com"),
    };
    struct domain_set *set = domain_set_new(patterns, ARRAY_LENGTH(patterns));
    assert_non_null(set);
    assert_true(bytes_is_text(domain_set_find(set, BYTES_LITERAL("b.a.example.com")), "b.a.example.com"));
    assert_true(bytes_is_text(domain_set_find(set, BYTES_LITERAL("c.a.example.com")), "*.a.example.com"));
    assert_true(bytes_is_text(domain_set_find(set, BYTES_LITERAL("a.example.com")), "*.example.com"));
    assert_int_equal(domain_set_find(set, BYTES_LITERAL("example.com")).len, 0);
    domain_set_free(set);
}

static void an_empty_set_no_set_and_what_is_no_pattern_match_nothing(void **state) {
    (void)state;
    static const struct bytes oddities[] = {
        BYTES_EMPTY,          BYTES_LITERAL("*."), BYTES_LITERAL("*"), BYTES_LITERAL("EXAMPLE.com"),
        BYTES_LITERAL("*.*"),
    };
    static const struct bytes names[] = {BYTES_EMPTY, BYTES_LITERAL("example.com"), BYTES_LITERAL("com")};
    char too_long[300];
    memset(too_long, 'a', sizeof(too_long));
    struct bytes one_long = bytes_of(too_long, sizeof(too_long));
    struct domain_set *sets[] = {domain_set_new(NULL, 0), domain_set_new(oddities, ARRAY_LENGTH(oddities)),
                                 domain_set_new(&one_long, 1), NULL};
    for (size_t i = 0; i < ARRAY_LENGTH(sets); i++) {
        for (size_t k = 0; k < ARRAY_LENGTH(names); k++)
            assert_int_equal(domain_set_find(sets[i], names[k]).len, 0);
        assert_int_equal(domain_set_find(sets[i], one_long).len, 0);
        domain_set_free(sets[i]);
    }
    assert_int_equal(domain_set_find_nearest(NULL, names[1]).len, 0);
    assert_int_equal(domain_set_get_count(NULL), 0);
    assert_int_equal(domain_set_get_size_bytes(NULL), 0);
}

static bool make_a_set(void *context) {
    const struct list *list = context;
    struct domain_set *set = domain_set_new(list->patterns, list->count);
    bool succeeded = set != NULL;
    domain_set_free(set);
    return succeeded;
}

static void a_failing_allocation_gives_no_set(void **state) {
    (void)state;
    struct seed seed = seed_new();
    struct list list;
    draw_list(&seed, &list);
    allocation_failure_try_each(make_a_set, &list);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_exact_pattern_goes_before_wildcards_and_the_longer_wildcard_first),
        cmocka_unit_test(an_empty_set_no_set_and_what_is_no_pattern_match_nothing),
        cmocka_unit_test(a_failing_allocation_gives_no_set),
        cmocka_unit_test(sets_of_the_same_patterns_in_any_order_are_equal),
        cmocka_unit_test(sets_answer_like_the_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
