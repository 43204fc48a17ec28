// What is told of a decision: that it is the decision, entry and nearest miss against a plain scan, and the
// sentences for people.
#include <string.h>

#include "common/access/explain.h"
#include "common/base/clock.h"
#include "tests/unit/plain_access.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

static void check_steps(const struct access_explanation *told, const struct plain_subject *plain,
                        const struct plain_request *asked) {
    assert_int_equal(told->reason, plain_decide(plain, asked));
    assert_int_equal(told->step_count, ACCESS_LAST_CHECK - ACCESS_FIRST_CHECK + 1);
    for (size_t i = 0; i < told->step_count; i++) {
        const struct access_step *step = &told->steps[i];
        assert_int_equal(step->check, ACCESS_FIRST_CHECK + i);
        assert_int_equal(step->passed, plain_passes(step->check, plain, asked));
        assert_true(strlen(step->detail) > 0);
    }
}

struct consulted {
    enum list_kind kind;
    const struct plain_list *list;
};

// The address lists that are looked at, in their order.
static size_t list_consulted(const struct plain_subject *plain, const struct access_subject *subject,
                             struct consulted *ret) {
    size_t count = 0;
    if (access_is_whitelist_applied(subject))
        ret[count++] = (struct consulted){LIST_KIND_COMPANY, &plain->company};
    if (plain->member.is_set)
        ret[count++] = (struct consulted){LIST_KIND_MEMBER, &plain->member};
    if (plain->token.is_set)
        ret[count++] = (struct consulted){LIST_KIND_TOKEN, &plain->token};
    return count;
}

static void check_entry(const struct access_listed_entry *told, enum list_kind kind,
                        const struct plain_list *list, int expected) {
    assert_int_equal(told->list, kind);
    if (kind == LIST_KIND_NONE)
        return;
    const struct plain_entry *entry = &list->entries[expected];
    assert_int_equal(told->entry.prefix.bits, entry->bits);
    assert_true(ip_address_is_equal(&told->entry.prefix.address, &entry->address));
}

// A nearest entry may be another one as near: what counts is how near it is.
static void check_miss(const struct access_listed_entry *told, const struct consulted *from,
                       const struct ip_address *address) {
    assert_int_equal(told->list, from->kind);
    const struct plain_entry *nearest = &from->list->entries[plain_find_nearest(from->list, address)];
    struct ip_prefix prefix = ip_prefix_of(&nearest->address, nearest->bits);
    assert_int_equal(told->common_bits, ip_prefix_get_common_bits(&prefix, address));
    assert_int_equal(ip_prefix_contains_address(&told->entry.prefix, address),
                     plain_covers(nearest, address));
}

static void check_entries(const struct access_explanation *told, const struct plain_subject *plain,
                          const struct access_subject *subject, const struct ip_address *address) {
    struct consulted consulted[3];
    size_t count = list_consulted(plain, subject, consulted);
    struct consulted matched = {LIST_KIND_NONE, NULL}, missed = {LIST_KIND_NONE, NULL};
    for (size_t i = 0; i < count; i++) {
        bool is_listed = plain_find(consulted[i].list, address) != PLAIN_NONE;
        bool has_nearest = plain_find_nearest(consulted[i].list, address) != PLAIN_NONE;
        if (is_listed)
            matched = consulted[i];
        else if (has_nearest && missed.kind == LIST_KIND_NONE)
            missed = consulted[i];
    }
    check_entry(&told->matched, matched.kind, matched.list,
                matched.list ? plain_find(matched.list, address) : 0);
    if (missed.kind != LIST_KIND_NONE)
        check_miss(&told->nearest_miss, &missed, address);
    else
        assert_true(told->nearest_miss.list == LIST_KIND_NONE || told->nearest_miss.list == LIST_KIND_DOMAIN);
}

static void what_is_told_is_the_decision(void **state) {
    (void)state;
    struct seed seed = seed_new();
    struct arena arena;
    arena_init(&arena, 0);
    for (unsigned i = 0; i < 20000; i++) {
        struct plain_subject plain;
        struct plain_request asked;
        plain_draw_subject(&seed, &plain);
        plain_draw_request(&seed, &plain, &asked);
        struct access_subject subject = plain_make_subject(&plain, &arena);
        struct access_request request = plain_make_request(&asked, &arena);
        struct access_explanation told;
        assert_int_equal(access_explain(&subject, &request, NULL, &arena, &told), STATUS_OK);
        check_steps(&told, &plain, &asked);
        check_entries(&told, &plain, &subject, &asked.address);
        arena_reset(&arena);
    }
    arena_fini(&arena);
}

// ---- sentences ----

struct scene {
    struct arena arena;
    struct permission_catalogue *catalogue;
    struct access_subject subject;
    struct access_request request;
    struct access_explanation told;
};

static struct ip_address parse_address(const char *text) {
    struct ip_address address;
    assert_int_equal(ip_address_parse(bytes_of_text(text), &address), IP_PARSE_OK);
    return address;
}

static void begin(struct scene *scene) {
    static const struct permission_definition definitions[] = {
        {BYTES_LITERAL("charges.create"), false},
        {BYTES_LITERAL("charges.read"), false},
        {BYTES_LITERAL("refunds.create"), false},
    };
    *scene = (struct scene){.subject = {.not_before_ms = CLOCK_ALWAYS_MS,
                                        .expires_at_ms = CLOCK_NEVER_MS,
                                        .kind = TOKEN_KIND_ACCESS,
                                        .channels = CHANNEL_BITS_ALL,
                                        .is_company_owned = true},
                            .request = {.now_ms = PLAIN_NOW_MS, .channel = CHANNEL_API}};
    arena_init(&scene->arena, 0);
    scene->request.address = parse_address("203.0.113.7");
    scene->catalogue = permission_catalogue_new(NULL, definitions, ARRAY_LENGTH(definitions));
    assert_non_null(scene->catalogue);
}

static void end(struct scene *scene) {
    permission_catalogue_free(scene->catalogue);
    arena_fini(&scene->arena);
}

static const char *tell(struct scene *scene, enum reason check) {
    enum status status =
        access_explain(&scene->subject, &scene->request, scene->catalogue, &scene->arena, &scene->told);
    assert_int_equal(status, STATUS_OK);
    for (size_t i = 0; i < scene->told.step_count; i++)
        if (scene->told.steps[i].check == check)
            return scene->told.steps[i].detail;
    fail_msg("%s is not told", reason_get_name(check));
    return NULL;
}

static const struct ip_set *list_prefix(struct scene *scene, const char *text, int64_t ends_at_ms) {
    struct ip_set_entry entry = {.ends_at_ms = ends_at_ms};
    assert_int_equal(ip_prefix_parse(bytes_of_text(text), &entry.prefix), IP_PARSE_OK);
    const struct ip_set *set = ip_set_new_in_arena(&scene->arena, &entry, 1);
    assert_non_null(set);
    return set;
}

static void times_are_told_to_the_millisecond(void **state) {
    (void)state;
    struct scene scene;
    begin(&scene);
    scene.subject.expires_at_ms = PLAIN_NOW_MS - 1;
    assert_string_equal(tell(&scene, REASON_EXPIRED), "the token expired at 2026-01-01T11:59:59.999Z; it is "
                                                      "2026-01-01T12:00:00.000Z");
    scene.subject.not_before_ms = PLAIN_NOW_MS + 1;
    assert_string_equal(
        tell(&scene, REASON_NOT_YET_VALID),
        "the token is not valid before 2026-01-01T12:00:00.001Z; it is 2026-01-01T12:00:00.000Z");
    scene.subject.is_suspended = true;
    scene.subject.suspended_until_ms = -1;
    assert_string_equal(
        tell(&scene, REASON_SUSPENDED),
        "the token was suspended until 1969-12-31T23:59:59.999Z; it is 2026-01-01T12:00:00.000Z");
    scene.subject.suspended_until_ms = CLOCK_NEVER_MS;
    assert_string_equal(tell(&scene, REASON_SUSPENDED), "the token is suspended until it is resumed");
    end(&scene);
}

static void every_time_can_be_told(void **state) {
    (void)state;
    static const int64_t times[] = {CLOCK_ALWAYS_MS, CLOCK_ALWAYS_MS + 1, -1, 0, 999, CLOCK_NEVER_MS - 1};
    struct scene scene;
    begin(&scene);
    scene.subject.is_suspended = true;
    for (size_t i = 0; i < ARRAY_LENGTH(times); i++) {
        scene.subject.suspended_until_ms = scene.subject.expires_at_ms = times[i];
        assert_non_null(strstr(tell(&scene, REASON_SUSPENDED), "until "));
        assert_non_null(strstr(tell(&scene, REASON_EXPIRED), "Z"));
    }
    end(&scene);
}

static void the_entry_that_let_it_in_is_told(void **state) {
    (void)state;
    struct scene scene;
    begin(&scene);
    scene.subject.token_ips = list_prefix(&scene, "203.0.113.0/24", CLOCK_NEVER_MS);
    assert_string_equal(tell(&scene, REASON_TOKEN_IP_NOT_LISTED), "203.0.113.7 is listed by 203.0.113.0/24");
    assert_int_equal(scene.told.matched.list, LIST_KIND_TOKEN);
    assert_int_equal(scene.told.matched.entry.prefix.bits, 24);
    assert_int_equal(scene.told.matched.common_bits, 24);
    assert_int_equal(scene.told.nearest_miss.list, LIST_KIND_NONE);
    end(&scene);
}

static void the_nearest_miss_is_told_with_its_bits(void **state) {
    (void)state;
    struct scene scene;
    begin(&scene);
    scene.subject.is_whitelist_enabled = true;
    scene.subject.company_ips = list_prefix(&scene, "203.0.112.0/24", CLOCK_NEVER_MS);
    assert_string_equal(tell(&scene, REASON_COMPANY_IP_NOT_LISTED),
                        "203.0.113.7 is not listed; the nearest entry is 203.0.112.0/24, 23 bits in common");
    assert_int_equal(scene.told.nearest_miss.list, LIST_KIND_COMPANY);
    assert_int_equal(scene.told.nearest_miss.common_bits, 23);
    scene.subject.company_ips = list_prefix(&scene, "203.0.113.0/24", PLAIN_NOW_MS);
    assert_string_equal(
        tell(&scene, REASON_COMPANY_IP_NOT_LISTED),
        "203.0.113.7 is not listed; the entry 203.0.113.0/24 ended at 2026-01-01T12:00:00.000Z");
    scene.subject.company_ips = list_prefix(&scene, "2001:db8::/32", CLOCK_NEVER_MS);
    assert_string_equal(tell(&scene, REASON_COMPANY_IP_NOT_LISTED),
                        "203.0.113.7 is not listed; the list has no live entry for this family");
    end(&scene);
}

static void a_domain_is_told_with_its_pattern(void **state) {
    (void)state;
    static const struct bytes patterns[] = {BYTES_LITERAL("*.example.com"), BYTES_LITERAL("other.net")};
    struct scene scene;
    begin(&scene);
    scene.request.channel = CHANNEL_UI;
    scene.subject.domains = domain_set_new_in_arena(&scene.arena, patterns, 2);
    scene.request.domain = BYTES_LITERAL("https://App.example.com");
    assert_string_equal(tell(&scene, REASON_DOMAIN_NOT_LISTED), "app.example.com is listed by *.example.com");
    scene.request.domain = BYTES_LITERAL("example.com");
    assert_string_equal(tell(&scene, REASON_DOMAIN_NOT_LISTED),
                        "example.com is not listed; the nearest pattern is *.example.com");
    assert_int_equal(scene.told.nearest_miss.list, LIST_KIND_DOMAIN);
    assert_true(bytes_is_text(scene.told.nearest_miss.domain, "*.example.com"));
    scene.request.domain = BYTES_LITERAL("null");
    assert_non_null(strstr(tell(&scene, REASON_DOMAIN_NOT_LISTED), "the domain can't be read: "));
    end(&scene);
}

static void permissions_that_are_missing_are_named(void **state) {
    (void)state;
    struct scene scene;
    begin(&scene);
    struct permission_set *granted = permission_set_new_in_arena(&scene.arena, 3);
    assert_non_null(granted);
    permission_set_add(granted, permission_catalogue_find_id(scene.catalogue, BYTES_LITERAL("charges.read")));
    scene.subject.granted = granted;
    uint32_t create = permission_catalogue_find_id(scene.catalogue, BYTES_LITERAL("charges.create"));
    uint32_t read = permission_catalogue_find_id(scene.catalogue, BYTES_LITERAL("charges.read"));
    uint32_t refund = permission_catalogue_find_id(scene.catalogue, BYTES_LITERAL("refunds.create"));
    uint32_t all[] = {read, create, PERMISSION_ID_NONE}, any[] = {create, refund};
    scene.request.permissions = all;
    scene.request.permission_count = 3;
    assert_string_equal(tell(&scene, REASON_PERMISSION_MISSING),
                        "not held: charges.create, one that is not in the catalogue");
    scene.request.any_permissions = any;
    scene.request.any_permission_count = 2;
    assert_string_equal(tell(&scene, REASON_PERMISSION_MISSING),
                        "not held: charges.create, one that is not in the catalogue, and "
                        "charges.create or refunds.create");
    scene.request.permission_count = 1;
    any[1] = read;
    assert_string_equal(tell(&scene, REASON_PERMISSION_MISSING), "every permission asked for is held");
    end(&scene);
}

static void a_secret_that_nobody_has_is_one_step(void **state) {
    (void)state;
    struct scene scene;
    begin(&scene);
    assert_int_equal(access_explain(NULL, &scene.request, scene.catalogue, &scene.arena, &scene.told),
                     STATUS_OK);
    assert_int_equal(scene.told.reason, REASON_UNKNOWN);
    assert_int_equal(scene.told.step_count, 1);
    assert_false(scene.told.steps[0].passed);
    end(&scene);
}

static void an_arena_that_runs_out_gives_no_half_explanation(void **state) {
    (void)state;
    struct scene scene;
    begin(&scene);
    scene.subject.token_ips = list_prefix(&scene, "203.0.113.0/24", CLOCK_NEVER_MS);
    scene.subject.expires_at_ms = PLAIN_NOW_MS + 1;
    size_t refused = 0;
    for (size_t limit = 16;; limit += 16) {
        struct arena small;
        arena_init(&small, limit);
        struct access_explanation told = {.reason = REASON_NOT_CURRENT};
        enum status status = access_explain(&scene.subject, &scene.request, scene.catalogue, &small, &told);
        arena_fini(&small);
        if (status == STATUS_OK)
            break;
        assert_int_equal(status, STATUS_NO_MEMORY);
        assert_int_equal(told.reason, REASON_NOT_CURRENT);
        refused++;
    }
    assert_true(refused > 0);
    end(&scene);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_told_to_the_millisecond),
        cmocka_unit_test(every_time_can_be_told),
        cmocka_unit_test(the_entry_that_let_it_in_is_told),
        cmocka_unit_test(the_nearest_miss_is_told_with_its_bits),
        cmocka_unit_test(a_domain_is_told_with_its_pattern),
        cmocka_unit_test(permissions_that_are_missing_are_named),
        cmocka_unit_test(a_secret_that_nobody_has_is_one_step),
        cmocka_unit_test(an_arena_that_runs_out_gives_no_half_explanation),
        cmocka_unit_test(what_is_told_is_the_decision),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
