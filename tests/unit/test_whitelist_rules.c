// What may become of a whitelist, and which entries lie in which, against the scan of all pairs.
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/typeid.h"
#include "services/whitelist/whitelist_guard.h"
#include "services/whitelist/whitelist_overlap.h"
#include "services/whitelist/whitelist_rules.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

#define NOW_MS INT64_C(1767268800000)

static const struct whitelist_limits limits = {
    .call_entries = 5, .company_entries = 10, .draft_entries = 8, .drafts = 2, .sweep_ms = 700};
static struct arena arena;
static struct fault fault;

static int set_up(void **state) {
    (void)state;
    arena_init(&arena, 0);
    fault_init(&fault, &arena);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    arena_fini(&arena);
    return 0;
}

static struct whitelist_wish make_wish(const char *address, uint32_t bits) {
    return (struct whitelist_wish){
        .address = address, .bits = bits, .note = "", .owner = "", .expires_at_ms = CLOCK_NEVER_MS};
}

static enum status check(const struct whitelist_wish *wishes, size_t count, bool is_forced,
                         struct ip_prefix **ret_prefixes) {
    struct whitelist_terms terms = {&limits, NOW_MS, is_forced};
    fault_init(&fault, &arena);
    return whitelist_check_wishes(wishes, count, &terms, &arena, &fault, ret_prefixes);
}

static struct ip_prefix parse(const char *text) {
    struct ip_prefix prefix;
    assert_int_equal(ip_prefix_parse(bytes_of_text(text), &prefix), IP_PARSE_OK);
    return prefix;
}

static void an_address_with_its_bits_is_one_range(void **state) {
    (void)state;
    static const struct {
        const char *address;
        uint32_t bits;
        const char *range; // NULL = refused
    } cases[] = {
        {"203.0.113.7", IP_PREFIX_BITS_UNSET, "203.0.113.7/32"},
        {"203.0.113.7", 24, "203.0.113.0/24"},
        {"203.0.113.7/24", IP_PREFIX_BITS_UNSET, "203.0.113.0/24"},
        {"203.0.113.7/24", 24, "203.0.113.0/24"},
        {"203.0.113.7/24", 25, NULL},
        {"203.0.113.7", 33, NULL},
        {"::1", 129, NULL},
        {"2001:db8::1", 32, "2001:db8::/32"},
        {"1.2.3.4", 96, NULL},
        {"010.0.0.1", IP_PREFIX_BITS_UNSET, NULL},
        {"", IP_PREFIX_BITS_UNSET, NULL},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct whitelist_wish wish = make_wish(cases[i].address, cases[i].bits);
        struct ip_prefix *prefixes;
        enum status status = check(&wish, 1, false, &prefixes);
        assert_int_equal(status, cases[i].range ? STATUS_OK : STATUS_INVALID);
        if (!cases[i].range) {
            assert_string_equal(fault.fields->field, "entries[0].address");
            continue;
        }
        char text[IP_PREFIX_TEXT_MAX + 1];
        ip_prefix_format(&prefixes[0], text);
        assert_string_equal(text, cases[i].range);
    }
}

static void everybody_is_let_in_by_force_alone(void **state) {
    (void)state;
    static const char *const everybody[] = {"0.0.0.0/0", "::/0", "1.2.3.4/0"};
    for (size_t i = 0; i < ARRAY_LENGTH(everybody); i++) {
        struct whitelist_wish wish = make_wish(everybody[i], IP_PREFIX_BITS_UNSET);
        struct ip_prefix *prefixes;
        assert_int_equal(check(&wish, 1, false, &prefixes), STATUS_INVALID);
        assert_int_equal(check(&wish, 1, true, &prefixes), STATUS_OK);
    }
}

static void every_bad_entry_is_named_at_once(void **state) {
    (void)state;
    char long_text[WHITELIST_NOTE_MAX + 2];
    memset(long_text, 'a', sizeof(long_text));
    long_text[WHITELIST_NOTE_MAX + 1] = '\0';
    struct whitelist_wish wishes[] = {make_wish("10.0.0.1", IP_PREFIX_BITS_UNSET), make_wish("10.0.0.300", 8),
                                      make_wish("10.0.0.2", 32), make_wish("10.0.0.3", 32)};
    wishes[1].expires_at_ms = NOW_MS;
    wishes[2].note = long_text;
    wishes[3].owner = long_text;
    struct ip_prefix *prefixes;
    assert_int_equal(check(wishes, 4, false, &prefixes), STATUS_INVALID);
    static const char *const fields[] = {"entries[1].address", "entries[1].expires_at", "entries[2].note",
                                         "entries[3].owner"};
    const struct fault_field *field = fault.fields;
    for (size_t i = 0; i < ARRAY_LENGTH(fields); i++, field = field->next) {
        assert_non_null(field);
        assert_string_equal(field->field, fields[i]);
    }
    assert_null(field);
    wishes[1] = make_wish("10.0.0.3", 8);
    wishes[1].expires_at_ms = NOW_MS + 1;
    wishes[2].note = long_text + 1;
    wishes[3].owner = long_text + sizeof(long_text) - 1 - WHITELIST_OWNER_MAX;
    assert_int_equal(check(wishes, 4, false, &prefixes), STATUS_OK);
}

static void a_call_has_one_entry_to_as_many_as_it_may(void **state) {
    (void)state;
    struct whitelist_wish wishes[6];
    struct ip_prefix *prefixes;
    for (size_t i = 0; i < ARRAY_LENGTH(wishes); i++)
        wishes[i] = make_wish("10.0.0.1", 32);
    assert_int_equal(check(wishes, 0, false, &prefixes), STATUS_INVALID);
    assert_int_equal(check(wishes, 5, false, &prefixes), STATUS_OK);
    assert_int_equal(check(wishes, 6, false, &prefixes), STATUS_INVALID);
    assert_string_equal(fault.fields->field, "entries");
}

static void a_list_has_room_up_to_its_limit(void **state) {
    (void)state;
    assert_int_equal(whitelist_check_room(5, 5, &limits, &fault), STATUS_OK);
    assert_int_equal(whitelist_check_room(10, 0, &limits, &fault), STATUS_OK);
    assert_int_equal(whitelist_check_room(5, 6, &limits, &fault), STATUS_EXHAUSTED);
    assert_string_equal(fault.reason, "COMPANY_ENTRIES_LIMIT");
    fault_init(&fault, &arena);
    assert_int_equal(whitelist_check_draft_room(3, 5, &limits, &fault), STATUS_OK);
    assert_int_equal(whitelist_check_draft_room(3, 6, &limits, &fault), STATUS_EXHAUSTED);
    assert_string_equal(fault.reason, "DRAFT_ENTRIES_LIMIT");
}

static void too_many_drafts_are_named(void **state) {
    (void)state;
    const struct whitelist_draft drafts[2] = {{.draft_id = {{1}}}, {.draft_id = {{2}}}};
    assert_int_equal(whitelist_check_draft_count(drafts, 1, &limits, &fault), STATUS_OK);
    assert_int_equal(whitelist_check_draft_count(drafts, 2, &limits, &fault), STATUS_EXHAUSTED);
    assert_string_equal(fault.reason, "TOO_MANY_DRAFTS");
    assert_string_equal(fault.details->key, "draft1");
    assert_string_equal(fault.details->next->value, typeid_of(TYPEID_DRAFT, drafts[1].draft_id).text);
}

static void lists_that_are_not_swept_are_bounded(void **state) {
    (void)state;
    assert_int_equal(whitelist_check_unswept(9, &limits, &fault), STATUS_OK);
    assert_int_equal(whitelist_check_unswept(10, &limits, &fault), STATUS_EXHAUSTED);
    assert_string_equal(fault.reason, "TOO_MANY_UNSWEPT_LISTS");
    assert_int_equal(fault.retry_after_ms, 700);
}

// ---- an entry changed ----

static struct whitelist_entry make_entry(const char *address) {
    struct ip_prefix prefix = parse(address);
    return (struct whitelist_entry){.address = address,
                                    .prefix = prefix,
                                    .note = "old",
                                    .owner = "",
                                    .expires_at_ms = NOW_MS - 1,
                                    .version = 3};
}

static enum status amend(const char *present, uint32_t fields, const char *address, uint32_t bits,
                         struct whitelist_entry *ret_entry) {
    struct whitelist_entry entry = make_entry(present);
    struct whitelist_amendment amendment = {fields, make_wish(address, bits)};
    struct whitelist_terms terms = {&limits, NOW_MS, false};
    fault_init(&fault, &arena);
    return whitelist_amend(&entry, &amendment, &terms, &arena, &fault, ret_entry);
}

static void a_range_is_changed_by_its_address_its_bits_or_both(void **state) {
    (void)state;
    enum { UNSET = IP_PREFIX_BITS_UNSET };
    enum { A = WHITELIST_FIELD_BIT(WHITELIST_FIELD_ADDRESS), B = WHITELIST_FIELD_BIT(WHITELIST_FIELD_BITS) };
    static const struct {
        const char *present;
        uint32_t fields;
        const char *address;
        uint32_t bits;
        const char *typed, *range; // NULL = refused
    } cases[] = {
        {"10.1.2.3/8", A, "10.9.9.9", UNSET, "10.9.9.9", "10.9.9.9/32"}, // never as wide as what it replaces
        {"10.1.2.3/8", A, "10.9.9.9/24", UNSET, "10.9.9.9/24", "10.9.9.0/24"},
        {"10.1.2.3/8", A, "10.9.9.9", 24, "10.9.9.9", "10.9.9.9/32"}, // bits that the mask does not name
        {"10.1.2.3/8", A | B, "10.9.9.9", 24, "10.9.9.9", "10.9.9.0/24"},
        {"10.1.2.3/8", A | B, "10.9.9.9/16", 24, NULL, NULL},
        {"10.1.2.3/8", A | B, "10.9.9.9", UNSET, "10.9.9.9", "10.9.9.9/32"},
        {"10.1.2.3/8", B, "", 16, "10.1.2.3/16", "10.1.0.0/16"}, // host bits come to count
        {"10.1.2.3", B, "", 16, "10.1.2.3", "10.1.0.0/16"},
        {"10.1.2.3/8", B, "", UNSET, "10.1.2.3/8", "10.0.0.0/8"}, // what the address says
        {"10.1.2.3", B, "", UNSET, "10.1.2.3", "10.1.2.3/32"},
        {"10.1.2.3/8", B, "", 33, NULL, NULL},
        {"10.1.2.3/8", B, "", 0, NULL, NULL},
        {"10.1.2.3/8", A, "0.0.0.0/0", UNSET, NULL, NULL},
        {"10.1.2.3/8", A, "", UNSET, NULL, NULL},
        {"::ffff:10.1.2.3/104", B, "", 16, "10.1.2.3/16", "10.1.0.0/16"}, // bits as answers show them
        {"2001:db8::1/32", B, "", 128, "2001:db8::1/128", "2001:db8::1/128"},
        {"2001:db8::1/32", A, "192.0.2.1", UNSET, "192.0.2.1", "192.0.2.1/32"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct whitelist_entry entry;
        enum status status =
            amend(cases[i].present, cases[i].fields, cases[i].address, cases[i].bits, &entry);
        assert_int_equal(status, cases[i].range ? STATUS_OK : STATUS_INVALID);
        if (!cases[i].range)
            continue;
        char text[IP_PREFIX_TEXT_MAX + 1];
        ip_prefix_format(&entry.prefix, text);
        assert_string_equal(text, cases[i].range);
        assert_string_equal(entry.address, cases[i].typed);
        assert_string_equal(entry.note, "old");
        assert_int_equal(entry.version, 3);
    }
}

static void only_what_an_update_names_is_checked(void **state) {
    (void)state;
    struct whitelist_entry entry, present = make_entry("10.0.0.1"); // over since a moment
    struct whitelist_amendment amendment = {WHITELIST_FIELD_BIT(WHITELIST_FIELD_NOTE), make_wish("x", 99)};
    struct whitelist_terms terms = {&limits, NOW_MS, false};
    amendment.wish.expires_at_ms = 1;
    amendment.wish.note = "new";
    assert_int_equal(whitelist_amend(&present, &amendment, &terms, &arena, &fault, &entry), STATUS_OK);
    assert_string_equal(entry.note, "new");
    assert_false(whitelist_is_same(&present, &entry));
    entry.note = "old";
    assert_true(whitelist_is_same(&present, &entry));

    amendment.fields = (1u << WHITELIST_FIELD_COUNT) - 1;
    assert_int_equal(whitelist_amend(&present, &amendment, &terms, &arena, &fault, &entry), STATUS_INVALID);
    assert_string_equal(fault.fields->field, "entry.address");
    assert_string_equal(fault.fields->next->field, "entry.expires_at");
}

// ---- the guard ----

static void nobody_locks_himself_out_unawares(void **state) {
    (void)state;
    enum { ALL = WHITELIST_SCOPE_ALL, LOGINS = WHITELIST_SCOPE_LOGINS };
    enum { ACCESS = TOKEN_KIND_ACCESS, LOGIN = TOKEN_KIND_LOGIN };
    static const struct {
        bool is_enabled, lists_caller, lists_anybody;
        int scope, kind;
        bool is_acting;
        const char *reason;
    } cases[] = {
        {false, false, false, ALL, ACCESS, false, NULL},
        {true, true, true, ALL, ACCESS, false, NULL},
        {true, false, true, ALL, ACCESS, false, "LOCKS_OUT_CALLER"},
        {true, false, true, ALL, LOGIN, false, "LOCKS_OUT_CALLER"},
        {true, false, true, LOGINS, LOGIN, false, "LOCKS_OUT_CALLER"},
        {true, false, true, LOGINS, ACCESS, false, NULL}, // that list does not bind it
        {true, false, true, ALL, ACCESS, true, NULL},
        {true, false, false, ALL, ACCESS, false, "LOCKS_OUT_CALLER"},
        {true, false, false, LOGINS, ACCESS, false, "LOCKS_OUT_EVERYBODY"},
        {true, false, false, ALL, ACCESS, true, "LOCKS_OUT_EVERYBODY"},
        {true, false, true, WHITELIST_SCOPE_NONE, ACCESS, false, "LOCKS_OUT_CALLER"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct whitelist_outcome before = {.is_enabled = false};
        struct whitelist_outcome after = {cases[i].is_enabled, (enum whitelist_scope)cases[i].scope,
                                          cases[i].lists_caller ? CLOCK_NEVER_MS : CLOCK_ALWAYS_MS,
                                          cases[i].lists_anybody};
        struct whitelist_asker asker = {.address = parse("2001:db8::7").address,
                                        .kind = (enum token_kind)cases[i].kind,
                                        .is_acting = cases[i].is_acting,
                                        .now_ms = NOW_MS};
        fault_init(&fault, &arena);
        enum status status = whitelist_check_outcome(&before, &after, &asker, &fault);
        assert_int_equal(status, cases[i].reason ? STATUS_FAILED_PRECONDITION : STATUS_OK);
        if (cases[i].reason)
            assert_string_equal(fault.reason, cases[i].reason);
    }
}

static void who_would_be_locked_out_is_told_the_entry_to_add(void **state) {
    (void)state;
    struct whitelist_outcome before = {.is_enabled = false};
    struct whitelist_outcome after = {
        .is_enabled = true, .caller_until_ms = CLOCK_ALWAYS_MS, .lists_anybody = true};
    struct whitelist_asker asker = {
        .address = parse("203.0.113.7").address, .kind = TOKEN_KIND_ACCESS, .now_ms = NOW_MS};
    assert_int_equal(whitelist_check_outcome(&before, &after, &asker, &fault), STATUS_FAILED_PRECONDITION);
    assert_string_equal(fault.details->key, "clientIp");
    assert_string_equal(fault.details->value, "203.0.113.7");
    assert_string_equal(fault.details->next->key, "neededEntry");
    assert_string_equal(fault.details->next->value, "203.0.113.7/32");
}

static void an_end_that_is_near_counts_if_the_change_brings_it_nearer(void **state) {
    (void)state;
    enum { HORIZON_MS = 60000 };
    static const int64_t never = CLOCK_NEVER_MS;
    static const struct {
        bool was_enabled;
        int64_t before_ms, after_ms; // from now on
        bool is_refused;
    } cases[] = {
        {false, 0, HORIZON_MS - 1, true}, // off before: it let everybody in
        {false, 0, HORIZON_MS, false},
        {true, never, HORIZON_MS - 1, true},
        {true, HORIZON_MS - 1, HORIZON_MS - 1, false}, // so it ends anyhow
        {true, HORIZON_MS - 2, HORIZON_MS - 1, false},
        {true, HORIZON_MS - 1, HORIZON_MS - 2, true},
        {true, HORIZON_MS - 1, 0, true},
        {true, never, never, false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        int64_t before_ms = cases[i].before_ms, after_ms = cases[i].after_ms;
        struct whitelist_outcome before = {.is_enabled = cases[i].was_enabled,
                                           .caller_until_ms = before_ms == never ? never : NOW_MS + before_ms,
                                           .lists_anybody = true};
        struct whitelist_outcome after = {.is_enabled = true,
                                          .caller_until_ms = after_ms == never ? never : NOW_MS + after_ms,
                                          .lists_anybody = true};
        struct whitelist_asker asker = {.address = parse("203.0.113.7").address,
                                        .kind = TOKEN_KIND_ACCESS,
                                        .now_ms = NOW_MS,
                                        .horizon_ms = HORIZON_MS};
        fault_init(&fault, &arena);
        enum status status = whitelist_check_outcome(&before, &after, &asker, &fault);
        assert_int_equal(status, cases[i].is_refused ? STATUS_FAILED_PRECONDITION : STATUS_OK);
    }
    assert_null(fault.details);
}

static void a_list_is_confirmed_in_time_and_from_inside(void **state) {
    (void)state;
    struct whitelist_asker asker = {.address = parse("203.0.113.7").address, .now_ms = NOW_MS};
    static const struct {
        int64_t confirm_by_ms, until_ms;
        const char *reason;
    } cases[] = {
        {CLOCK_NEVER_MS, CLOCK_NEVER_MS, "NOTHING_TO_CONFIRM"},
        {NOW_MS, CLOCK_NEVER_MS, "CONFIRMATION_OVER"},
        {NOW_MS + 1, NOW_MS, "COMPANY_IP_NOT_LISTED"},
        {NOW_MS + 1, CLOCK_ALWAYS_MS, "COMPANY_IP_NOT_LISTED"},
        {NOW_MS + 1, NOW_MS + 1, NULL},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        bool waits = cases[i].confirm_by_ms != CLOCK_NEVER_MS;
        struct whitelist whitelist = {.confirm_by_ms = cases[i].confirm_by_ms,
                                      .unconfirmed = waits ? WHITELIST_UNCONFIRMED_SWITCH
                                                           : WHITELIST_UNCONFIRMED_NOTHING};
        fault_init(&fault, &arena);
        enum status status = whitelist_check_confirmable(&whitelist, cases[i].until_ms, &asker, &fault);
        assert_int_equal(status == STATUS_OK, cases[i].reason == NULL);
        if (cases[i].reason)
            assert_string_equal(fault.reason, cases[i].reason);
    }
}

static void what_waits_to_be_confirmed_stays_as_it_is(void **state) {
    (void)state;
    static const struct {
        enum whitelist_unconfirmed unconfirmed;
        enum status editable, settled, publishable;
    } cases[] = {
        {WHITELIST_UNCONFIRMED_NOTHING, STATUS_OK, STATUS_OK, STATUS_OK},
        {WHITELIST_UNCONFIRMED_LIST, STATUS_FAILED_PRECONDITION, STATUS_FAILED_PRECONDITION, STATUS_ABORTED},
        {WHITELIST_UNCONFIRMED_SWITCH, STATUS_OK, STATUS_FAILED_PRECONDITION, STATUS_ABORTED},
        {WHITELIST_UNCONFIRMED_SCOPE, STATUS_OK, STATUS_FAILED_PRECONDITION, STATUS_ABORTED},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct whitelist whitelist = {.unconfirmed = cases[i].unconfirmed};
        fault_init(&fault, &arena);
        assert_int_equal(whitelist_check_editable(&whitelist, &fault), cases[i].editable);
        fault_init(&fault, &arena);
        assert_int_equal(whitelist_check_settled(&whitelist, &fault), cases[i].settled);
        fault_init(&fault, &arena);
        assert_int_equal(whitelist_check_publishable(&whitelist, &fault), cases[i].publishable);
    }
}

static void what_refuses_more_than_before_is_tightened(void **state) {
    (void)state;
    static const struct whitelist_outcome off = {.scope = WHITELIST_SCOPE_ALL},
                                          off_logins = {.scope = WHITELIST_SCOPE_LOGINS},
                                          all = {.is_enabled = true, .scope = WHITELIST_SCOPE_ALL},
                                          logins = {.is_enabled = true, .scope = WHITELIST_SCOPE_LOGINS};
    static const struct {
        const struct whitelist_outcome *before, *after;
        bool is_tightened;
    } cases[] = {
        {&off, &all, true},           {&off, &logins, true},      {&off_logins, &all, true},
        {&off_logins, &logins, true}, {&logins, &all, true},      {&all, &logins, false},
        {&all, &all, false},          {&logins, &logins, false},  {&all, &off, false},
        {&logins, &off, false},       {&off, &off_logins, false}, {&off_logins, &off, false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_int_equal(whitelist_is_tightened(cases[i].before, cases[i].after), cases[i].is_tightened);
}

// ---- overlaps ----

static struct ip_prefix draw_prefix(struct seed *seed) {
    struct ip_address address = {.family = seed_next_below(seed, 3) ? IP_FAMILY_V4 : IP_FAMILY_V6};
    unsigned len = address.family == IP_FAMILY_V4 ? 4 : 16;
    for (unsigned i = 0; i < len; i++)
        address.bytes[i] = (uint8_t)(seed_next_below(seed, 2) * 255);
    return ip_prefix_of(&address, (unsigned)seed_next_below(seed, ip_address_get_width_bits(&address) + 1));
}

// By looking at all pairs.
static struct whitelist_holder find_holder(const struct ip_prefix *prefixes, size_t count, size_t index) {
    struct whitelist_holder holder = {0};
    for (size_t i = 0; i < count; i++) {
        bool is_same = ip_prefix_compare(&prefixes[i], &prefixes[index]) == 0;
        if (i == index || (is_same && i > index) ||
            !ip_prefix_contains_prefix(&prefixes[i], &prefixes[index]))
            continue;
        if (!holder.is_known || prefixes[i].bits > holder.prefix.bits)
            holder = (struct whitelist_holder){.is_known = true, .prefix = prefixes[i]};
    }
    return holder;
}

static void holders_are_those_of_all_pairs(void **state) {
    (void)state;
    enum { COUNT = 60 };
    struct seed seed = seed_new();
    for (unsigned round = 0; round < 2000; round++) {
        struct ip_prefix prefixes[COUNT];
        struct whitelist_holder holders[COUNT] = {0};
        size_t count = seed_next_below(&seed, COUNT + 1);
        for (size_t i = 0; i < count; i++)
            prefixes[i] = i > 0 && seed_next_below(&seed, 4) == 0 ? prefixes[seed_next_below(&seed, i)]
                                                                  : draw_prefix(&seed);
        assert_true(whitelist_find_holders(prefixes, count, &arena, holders));
        for (size_t i = 0; i < count; i++) {
            struct whitelist_holder expected = find_holder(prefixes, count, i);
            assert_int_equal(holders[i].is_known, expected.is_known);
            if (expected.is_known)
                assert_int_equal(ip_prefix_compare(&holders[i].prefix, &expected.prefix), 0);
        }
        arena_reset(&arena);
    }
}

static void the_longer_holder_is_told_that_of_the_list_first(void **state) {
    (void)state;
    const struct ip_prefix prefixes[] = {parse("10.1.2.0/24"), parse("10.1.2.0/24"), parse("10.1.2.0/24"),
                                         parse("192.0.2.1"), parse("64:ff9b::1")};
    struct uuid entry_id = {.bytes = {1}};
    const struct whitelist_holder listed[] = {
        {true, parse("10.0.0.0/8"), entry_id}, {true, parse("10.1.2.0/24"), entry_id}, {0}, {0}, {0}};
    const struct whitelist_holder requested[] = {{true, parse("10.1.0.0/16"), {{0}}},
                                                 {true, parse("10.1.2.0/24"), {{0}}},
                                                 {true, parse("10.1.2.0/24"), {{0}}},
                                                 {0},
                                                 {0}};
    static const struct {
        uint32_t index;
        enum whitelist_warning_kind kind;
        const char *detail;
    } expected[] = {
        {0, WHITELIST_WARNING_INSIDE, "it lies inside 10.1.0.0/16, which is in this request"},
        {1, WHITELIST_WARNING_DUPLICATE, "added once more: 10.1.2.0/24 was in the list already"},
        {2, WHITELIST_WARNING_DUPLICATE, "added once more: 10.1.2.0/24 was in this request already"},
        {4, WHITELIST_WARNING_TRANSLATED, NULL},
    };
    struct whitelist_warning *warnings;
    size_t count;
    assert_true(whitelist_list_warnings(prefixes, 5, listed, requested, &arena, &warnings, &count));
    assert_int_equal(count, ARRAY_LENGTH(expected));
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(warnings[i].index, expected[i].index);
        assert_int_equal(warnings[i].kind, expected[i].kind);
        if (expected[i].detail)
            assert_string_equal(warnings[i].detail, expected[i].detail);
    }
}

static void warnings_are_bounded(void **state) {
    (void)state;
    enum { COUNT = WHITELIST_WARNINGS_MAX };
    struct ip_prefix *prefixes = calloc(COUNT, sizeof(*prefixes));
    struct whitelist_holder *holders = calloc(COUNT, sizeof(*holders)), *none = calloc(COUNT, sizeof(*none));
    assert_true(prefixes && holders && none);
    for (size_t i = 0; i < COUNT; i++) {
        prefixes[i] = parse("64:ff9b::1"); // two warnings each
        holders[i] = (struct whitelist_holder){.is_known = true, .prefix = parse("64:ff9b::/96")};
    }
    struct whitelist_warning *warnings;
    size_t count;
    assert_true(whitelist_list_warnings(prefixes, COUNT, none, holders, &arena, &warnings, &count));
    assert_int_equal(count, WHITELIST_WARNINGS_MAX);
    assert_int_equal(warnings[count - 1].index, COUNT / 2 - 1);
    free(prefixes);
    free(holders);
    free(none);
}

#define STAGED(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        STAGED(an_address_with_its_bits_is_one_range),
        STAGED(everybody_is_let_in_by_force_alone),
        STAGED(every_bad_entry_is_named_at_once),
        STAGED(a_call_has_one_entry_to_as_many_as_it_may),
        STAGED(a_list_has_room_up_to_its_limit),
        STAGED(too_many_drafts_are_named),
        STAGED(lists_that_are_not_swept_are_bounded),
        STAGED(a_range_is_changed_by_its_address_its_bits_or_both),
        STAGED(only_what_an_update_names_is_checked),
        STAGED(nobody_locks_himself_out_unawares),
        STAGED(who_would_be_locked_out_is_told_the_entry_to_add),
        STAGED(an_end_that_is_near_counts_if_the_change_brings_it_nearer),
        STAGED(a_list_is_confirmed_in_time_and_from_inside),
        STAGED(what_waits_to_be_confirmed_stays_as_it_is),
        STAGED(what_refuses_more_than_before_is_tightened),
        STAGED(holders_are_those_of_all_pairs),
        STAGED(the_longer_holder_is_told_that_of_the_list_first),
        STAGED(warnings_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
