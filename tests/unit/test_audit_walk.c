// The walk along a chain of hashes, and the hashes themselves against vectors computed elsewhere.
#include <stdlib.h>
#include <string.h>

#include "common/base/hex.h"
#include "services/audit/audit_walk.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

enum { LENGTH = 20 };

struct chain {
    struct audit_record records[LENGTH];
    struct audit_head head;
};

static struct uuid id_of(uint8_t number) {
    return (struct uuid){{1, 2, 3, 4, 5, 6, 0x70, 8, 0x89, 10, 11, 12, 13, 14, 15, number}};
}

static void hash(struct audit_record *record, const struct digest *previous) {
    struct buffer scratch = {0};
    struct digest content;
    if (record->is_person_there)
        assert_int_equal(audit_person_hash(&record->person, &scratch, &record->event.person), STATUS_OK);
    assert_int_equal(audit_event_hash(&record->event, &scratch, &content), STATUS_OK);
    record->previous_hash = *previous;
    audit_chain_hash(previous, record->number, record->at_us, &content, &record->hash);
    buffer_fini(&scratch);
}

static void rechain(struct chain *chain) {
    struct digest previous = {{0}};
    for (size_t i = 0; i < LENGTH; i++) {
        hash(&chain->records[i], &previous);
        previous = chain->records[i].hash;
    }
    chain->head = (struct audit_head){LENGTH, previous};
}

// Every third event says nothing about a person.
static void init_chain(struct chain *chain) {
    static const uint8_t salt[AUDIT_SALT_LENGTH] = {7};
    memset(chain, 0, sizeof(*chain));
    for (size_t i = 0; i < LENGTH; i++) {
        struct audit_record *record = &chain->records[i];
        *record = (struct audit_record){.number = (int64_t)i + 1, .at_us = 1000000 * (int64_t)i};
        record->event = (struct audit_event){.event_id = id_of((uint8_t)i),
                                             .company_id = id_of(200),
                                             .actor = {.member_id = id_of(201), .token_id = id_of(202)},
                                             .action = BYTES_LITERAL("token.created"),
                                             .object_id = BYTES_LITERAL("tok_1"),
                                             .after = BYTES_LITERAL("{\"a\":1}"),
                                             .count = 1,
                                             .has_person = i % 3 != 0};
        record->is_person_there = record->event.has_person;
        if (record->is_person_there)
            record->person = (struct audit_person){.salt = bytes_of(salt, sizeof(salt)),
                                                   .email = BYTES_LITERAL("ada@acme.example"),
                                                   .client_ip = BYTES_LITERAL("192.0.2.1")};
    }
    rechain(chain);
}

// The number of the broken event; 0 = none.
static int64_t walk_from(const struct chain *chain, size_t from, const struct audit_head *known,
                         size_t count) {
    static const struct digest zero;
    struct audit_walk walk;
    audit_walk_init(&walk, (int64_t)from, from == 1 ? &zero : &chain->records[from - 2].hash, known, count);
    for (size_t i = from - 1; i < LENGTH && !walk.is_broken; i++)
        assert_int_equal(audit_walk_feed(&walk, &chain->records[i]), STATUS_OK);
    if (!walk.is_broken)
        audit_walk_finish(&walk, &chain->head, LENGTH);
    audit_walk_fini(&walk);
    return walk.is_broken ? walk.broken_number : 0;
}

static int64_t walk(const struct chain *chain) {
    return walk_from(chain, 1, NULL, 0);
}

static void an_untouched_chain_holds_from_any_event_on(void **state) {
    (void)state;
    struct chain chain;
    init_chain(&chain);
    for (size_t from = 1; from <= LENGTH; from++)
        assert_int_equal(walk_from(&chain, from, NULL, 0), 0);
}

static void a_change_of_any_event_is_found_where_it_is(void **state) {
    (void)state;
    for (size_t at = 0; at < LENGTH; at++) {
        struct chain chain;
        init_chain(&chain);
        chain.records[at].event.action = BYTES_LITERAL("token.create");
        assert_int_equal(walk(&chain), at + 1);
        init_chain(&chain);
        chain.records[at].at_us++;
        assert_int_equal(walk(&chain), at + 1);
        init_chain(&chain);
        chain.records[at].hash.bytes[31] ^= 1;
        assert_int_equal(walk(&chain), at + 1);
        init_chain(&chain);
        chain.records[at].number++;
        assert_int_equal(walk(&chain), at + 1);
    }
}

static void fields_do_not_run_into_each_other(void **state) {
    (void)state;
    struct chain chain;
    init_chain(&chain);
    chain.records[4].event.action = BYTES_LITERAL("token.createdt");
    chain.records[4].event.object_id = BYTES_LITERAL("ok_1");
    assert_int_equal(walk(&chain), 5);
}

static void an_erased_person_leaves_the_chain_as_it_is_and_a_changed_one_does_not(void **state) {
    (void)state;
    struct chain chain;
    init_chain(&chain);
    for (size_t i = 0; i < LENGTH; i++)
        chain.records[i].is_person_there = false;
    assert_int_equal(walk(&chain), 0);
    init_chain(&chain);
    chain.records[4].person.email = BYTES_LITERAL("eve@acme.example");
    assert_int_equal(walk(&chain), 5);
    init_chain(&chain);
    chain.records[3].person = chain.records[4].person; // whose event says nothing about one
    chain.records[3].is_person_there = true;
    assert_int_equal(walk(&chain), 4);
}

static void kept_heads_find_a_chain_that_is_right_in_itself(void **state) {
    (void)state;
    struct chain chain;
    struct audit_head known[LENGTH];
    init_chain(&chain);
    for (size_t i = 0; i < LENGTH; i++)
        known[i] = (struct audit_head){(int64_t)i + 1, chain.records[i].hash};
    assert_int_equal(walk_from(&chain, 1, known, LENGTH), 0);
    assert_int_equal(walk_from(&chain, 7, known, LENGTH), 0);
    chain.records[9].event.count = 2;
    rechain(&chain);
    assert_int_equal(walk(&chain), 0);
    assert_int_equal(walk_from(&chain, 1, known, LENGTH), 10);
    assert_int_equal(walk_from(&chain, 1, &known[14], 1), 15);
    assert_int_equal(walk_from(&chain, 1, known, 9), 0);
    const struct audit_head above = {LENGTH + 3, chain.head.hash};
    assert_int_equal(walk_from(&chain, 1, &above, 1), LENGTH + 3);
}

static void two_kept_heads_of_one_number_must_both_agree(void **state) {
    (void)state;
    struct chain chain;
    init_chain(&chain);
    struct audit_head known[] = {{4, chain.records[3].hash}, {4, chain.records[3].hash}};
    assert_int_equal(walk_from(&chain, 1, known, 2), 0);
    known[0].hash.bytes[0] ^= 1;
    assert_int_equal(walk_from(&chain, 1, known, 2), 4);
}

static void the_end_must_be_the_head(void **state) {
    (void)state;
    struct chain chain;
    init_chain(&chain);
    chain.head.hash.bytes[0] ^= 1;
    assert_int_equal(walk(&chain), LENGTH);
    init_chain(&chain);
    chain.head.number--;
    assert_int_equal(walk(&chain), LENGTH);
}

// Any one bit of what is hashed, anywhere.
static void a_flipped_bit_is_never_overlooked(void **state) {
    (void)state;
    struct chain chain;
    struct seed seed = seed_new();
    for (int i = 0; i < 2000; i++) {
        init_chain(&chain);
        struct audit_record *record = &chain.records[seed_next_below(&seed, LENGTH)];
        uint8_t *const parts[] = {
            record->event.event_id.bytes,        record->event.company_id.bytes,
            record->event.actor.member_id.bytes, record->event.actor.token_id.bytes,
            record->event.request_id.bytes,      record->event.actor.operator_company_id.bytes,
            record->previous_hash.bytes,         record->hash.bytes};
        parts[seed_next_below(&seed, ARRAY_LENGTH(parts))][seed_next_below(&seed, 16)] ^=
            (uint8_t)(1 << seed_next_below(&seed, 8));
        assert_int_equal(walk(&chain), record->number);
    }
}

// By sha256sum over the bytes that audit_event.h documents.
static void the_hashes_are_the_documented_ones(void **state) {
    (void)state;
    struct chain chain;
    char text[2 * DIGEST_LENGTH + 1];
    init_chain(&chain);
    hex_format(bytes_of(chain.records[0].hash.bytes, DIGEST_LENGTH), text);
    assert_string_equal(text, "024289b6914e390837a1524e8da95abee7fe57f43e39fd4b4bca1cb0e9943d35");
    hex_format(bytes_of(chain.records[1].event.person.bytes, DIGEST_LENGTH), text);
    assert_string_equal(text, "c0b7a7f9157a70cdf2620160d92053d9a3a49f0913c1c142f5db8e379874b990");
    hex_format(bytes_of(chain.records[1].hash.bytes, DIGEST_LENGTH), text);
    assert_string_equal(text, "10ead186fd3e75e599766592d546937c85ef69802ba7dfcd3b0277ac849f9ed5");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_untouched_chain_holds_from_any_event_on),
        cmocka_unit_test(a_change_of_any_event_is_found_where_it_is),
        cmocka_unit_test(fields_do_not_run_into_each_other),
        cmocka_unit_test(an_erased_person_leaves_the_chain_as_it_is_and_a_changed_one_does_not),
        cmocka_unit_test(kept_heads_find_a_chain_that_is_right_in_itself),
        cmocka_unit_test(two_kept_heads_of_one_number_must_both_agree),
        cmocka_unit_test(the_end_must_be_the_head),
        cmocka_unit_test(a_flipped_bit_is_never_overlooked),
        cmocka_unit_test(the_hashes_are_the_documented_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
