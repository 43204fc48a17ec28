// The messages of Validate as the product reads and writes them, beside protobuf-c.
#include <string.h>

#include "common/base/clock.h"
#include "common/protobuf/message.h"
#include "latchkey/v1/validation.pb-c.h"
#include "services/validator/decide/validate_wire.h"
#include "tests/unit/allocation_failure.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

enum { ROUNDS = 20000, LIST_MAX = 300 };

// ---- writing ----

static const char *const texts[] = {"", "x", "cmp_01h455vb4pex5vsknk084sn02q", "\xc3\xa4\xe2\x98\xba"};

static struct bytes choose_text(struct seed *seed) {
    static char long_text[400];
    memset(long_text, 'l', sizeof(long_text));
    if (seed_next_below(seed, 8) == 0) // around where a length takes two bytes
        return bytes_of(long_text, 120 + seed_next_below(seed, 16));
    return bytes_of_text(texts[seed_next_below(seed, ARRAY_LENGTH(texts))]);
}

static int64_t choose_time(struct seed *seed) {
    const int64_t times[] = {
        CLOCK_NEVER_MS, 0, 1, 999, 1000, -1, -1000, 1767268800123, CLOCK_ALWAYS_MS, 86400000, 127000,
        -62135596800000};
    return times[seed_next_below(seed, ARRAY_LENGTH(times))];
}

struct lists {
    uint8_t permissions[LIST_MAX * (2 + PERMISSION_NAME_MAX)];
    struct bytes missing[LIST_MAX];
};

// As an interned set has them.
static struct bytes choose_permissions(struct seed *seed, size_t count, uint8_t *room) {
    uint8_t *to = room;
    for (size_t i = 0; i < count; i++) {
        struct bytes name = choose_text(seed);
        size_t len = name.len < PERMISSION_NAME_MAX ? name.len : PERMISSION_NAME_MAX;
        *to++ = PERMISSION_TAIL_FIELD << 3 | 2;
        *to++ = (uint8_t)len;
        memcpy(to, name.data, len);
        to += len;
    }
    return bytes_of(room, (size_t)(to - room));
}

static struct validate_answer choose_answer(struct seed *seed, struct lists *lists) {
    struct validate_answer answer = {.reason = (enum reason)seed_next_below(seed, REASON_COUNT),
                                     .revision = choose_text(seed),
                                     .company_id = choose_text(seed),
                                     .token_id = choose_text(seed),
                                     .member_id = choose_text(seed),
                                     .company_external_id = choose_text(seed),
                                     .token_external_id = choose_text(seed),
                                     .kind = (enum token_kind)seed_next_below(seed, 3),
                                     .expires_at_ms = choose_time(seed),
                                     .missing = lists->missing};
    size_t permission_count = seed_next_below(seed, 2) ? seed_next_below(seed, 5) : 0;
    answer.missing_count = seed_next_below(seed, 2) ? seed_next_below(seed, 5) : 0;
    if (seed_next_below(seed, 100) == 0)
        permission_count = answer.missing_count = LIST_MAX;
    answer.permissions = choose_permissions(seed, permission_count, lists->permissions);
    for (size_t i = 0; i < answer.missing_count; i++)
        lists->missing[i] = choose_text(seed);
    return answer;
}

static void check_text(const char *text, struct bytes expected) {
    assert_true(bytes_is_text(expected, text));
}

static void check_moment(const Google__Protobuf__Timestamp *moment, int64_t ms) {
    if (ms == CLOCK_NEVER_MS || ms == CLOCK_ALWAYS_MS) {
        assert_null(moment);
        return;
    }
    assert_non_null(moment);
    assert_in_range(moment->nanos, 0, 999999999);
    assert_true(moment->seconds * 1000 + moment->nanos / 1000000 == ms);
}

static void check_message(const Latchkey__V1__ValidateResponse *message,
                          const struct validate_answer *answer) {
    assert_int_equal(message->decision, answer->reason == REASON_OK ? LATCHKEY__V1__DECISION__DECISION_ALLOW
                                        : answer->reason == REASON_NOT_CURRENT
                                            ? LATCHKEY__V1__DECISION__DECISION_UNSPECIFIED
                                            : LATCHKEY__V1__DECISION__DECISION_DENY);
    assert_int_equal(message->reason, answer->reason);
    assert_int_equal(message->kind, answer->kind);
    check_text(message->revision, answer->revision);
    check_text(message->company_id, answer->company_id);
    check_text(message->token_id, answer->token_id);
    check_text(message->member_id, answer->member_id);
    check_text(message->company_external_id, answer->company_external_id);
    check_text(message->token_external_id, answer->token_external_id);
    check_moment(message->expires_at, answer->expires_at_ms);
    struct bytes rest = answer->permissions, name;
    size_t count = 0;
    for (; permission_tail_next(&rest, &name); count++)
        check_text(message->permissions[count], name);
    assert_int_equal(message->n_permissions, count);
    assert_int_equal(message->n_missing_permissions, answer->missing_count);
    for (size_t i = 0; i < answer->missing_count; i++)
        check_text(message->missing_permissions[i], answer->missing[i]);
}

static void an_answer_is_written_as_protobuf_c_writes_it(void **state) {
    (void)state;
    static struct lists lists;
    struct seed seed = seed_new();
    struct arena arena;
    arena_init(&arena, 0);
    for (int i = 0; i < ROUNDS; i++) {
        struct validate_answer answer = choose_answer(&seed, &lists);
        struct bytes written = validate_wire_write(&answer, 0, &arena);
        ProtobufCMessage *message;
        const char *why;
        assert_int_equal(
            message_unpack(&latchkey__v1__validate_response__descriptor, written, &arena, &message, &why),
            STATUS_OK);
        check_message((const Latchkey__V1__ValidateResponse *)message, &answer);
        assert_true(bytes_is_equal(message_pack(message, 0, &arena), written));
        arena_reset(&arena);
    }
    arena_fini(&arena);
}

static bool write_in_a_new_arena(void *context) {
    struct arena arena;
    arena_init(&arena, 0);
    bool is_written = validate_wire_write(context, 5, &arena).data != NULL;
    arena_fini(&arena);
    return is_written;
}

static void an_answer_without_memory_is_none(void **state) {
    (void)state;
    struct validate_answer answer = {.reason = REASON_OK, .revision = BYTES_LITERAL("AQ")};
    allocation_failure_try_each(write_in_a_new_arena, &answer);
}

static void a_zeroed_answer_denies(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 0);
    struct validate_answer answer = {.expires_at_ms = CLOCK_NEVER_MS};
    assert_true(bytes_is_equal(validate_wire_write(&answer, 0, &arena), BYTES_LITERAL("\x08\x02")));
    arena_fini(&arena);
}

// ---- reading ----

static void check_list(char *const *list, size_t count, const struct bytes *expected, size_t expected_count) {
    assert_int_equal(count, expected_count);
    for (size_t i = 0; i < count && i < VALIDATE_PERMISSIONS_MAX; i++)
        check_text(list[i], expected[i]);
}

// Both ways take the message or neither does, and they read the same.
static bool read_both(struct bytes bytes) {
    struct validate_question question;
    ProtobufCMessage *base;
    const char *why;
    struct arena arena;
    arena_init(&arena, 0);
    enum status status =
        message_unpack(&latchkey__v1__validate_request__descriptor, bytes, &arena, &base, &why);
    assert_int_equal(validate_wire_read(bytes, &arena, &question), status);
    if (status == STATUS_OK) {
        const Latchkey__V1__ValidateRequest *message = (const Latchkey__V1__ValidateRequest *)base;
        check_text(message->token, question.token);
        check_text(message->client_ip, question.client_ip);
        check_text(message->domain, question.domain);
        check_text(message->min_revision, question.min_revision);
        assert_int_equal((int32_t)message->channel, question.channel);
        check_list(message->permissions, message->n_permissions, question.permissions,
                   question.permission_count);
        check_list(message->any_permissions, message->n_any_permissions, question.any_permissions,
                   question.any_permission_count);
    }
    arena_fini(&arena);
    return status == STATUS_OK;
}

static struct bytes make_request(struct arena *arena) {
    static char *permissions[] = {(char *)"charges.read", (char *)"", (char *)"charges.create"};
    Latchkey__V1__ValidateRequest request = LATCHKEY__V1__VALIDATE_REQUEST__INIT;
    request.token = (char *)"lka_0Kabcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMN";
    request.client_ip = (char *)"203.0.113.7";
    request.domain = (char *)"b\xc3\xbc"
                             "cher.example";
    request.channel = LATCHKEY__V1__CHANNEL__CHANNEL_UI;
    request.min_revision = (char *)"AQAAAAAAAAAABQAAAAAAAABN";
    request.permissions = request.any_permissions = permissions;
    request.n_permissions = request.n_any_permissions = ARRAY_LENGTH(permissions);
    return message_pack(&request.base, 0, arena);
}

static void a_question_and_every_beginning_of_it_are_read_the_same(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 0);
    struct bytes request = make_request(&arena);
    assert_true(read_both(request));
    assert_true(read_both(BYTES_EMPTY));
    for (size_t len = 0; len < request.len; len++) {
        uint8_t *exact = arena_allocate(&arena, len);
        memcpy(exact, request.data, len);
        read_both(bytes_of(exact, len));
    }
    arena_fini(&arena);
}

static void every_change_of_a_byte_is_read_the_same(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 0);
    struct bytes request = make_request(&arena);
    uint8_t *changed = (uint8_t *)arena_copy_bytes(&arena, request);
    size_t taken = 0;
    for (size_t at = 0; at < request.len; at++) {
        for (unsigned value = 0; value < 256; value++) {
            changed[at] = (uint8_t)value;
            taken += read_both(bytes_of(changed, request.len));
        }
        changed[at] = request.data[at];
    }
    assert_in_range(taken, request.len, request.len * 256 - 1); // some are, some are not
    arena_fini(&arena);
}

static void what_the_wire_allows_and_forbids(void **state) {
    (void)state;
#define CASE(text, is_taken) \
    { BYTES_LITERAL(text), is_taken }
    static const struct {
        struct bytes bytes;
        bool is_taken;
    } cases[] = {
        CASE("\x28\x01", true),                                          // a channel
        CASE("\x28\x63", true),                                          // of no known number
        CASE("\x28\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", true),      // minus one
        CASE("\x28\x81\x80\x80\x80\x10", true),                          // 33 bits
        CASE("\x28\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", false), // eleven bytes
        CASE("\x28\x01\x28\x02", true),                                  // the last one counts
        CASE("\x2a\x01\x01", false),                                     // a channel as text
        CASE("\x08\x01", false),                                         // a token as a number
        CASE("\x0a\x01x\x0a\x00", true),                                 // emptied again
        CASE("\x8a\x00\x01x", true),                                     // a tag with a byte too many
        CASE("\x0a\x81\x00x", true),                                     // a length likewise
        CASE("\x0a\x81\x80\x80\x80\x00x", true),                         // in five bytes
        CASE("\x0a\x81\x80\x80\x80\x80\x00x", false),                    // in six
        CASE("\x0a\x02x", false),                                        // cut off
        CASE("\x0a", false),
        CASE("\x0a\x01\xff", false), // not UTF-8
        CASE("\x0a\x03x\0y", false), // NUL
        CASE("\x0a\x09"
             "abcdefgh\x01",
             true), // a control character is text
        CASE("\x0a\x09\x01\0cdefghi", false),
        CASE("\x22\x00\x22\x00", true), // empty names
        CASE("\x42\x01x\x48\x05\x51"
             "12345678\x5d"
             "1234",
             true),                              // unknown fields of each type
        CASE("\x43\x44", false),                 // a group
        CASE("\x46", false),                     // no wire type
        CASE("\x00\x01", false),                 // field 0
        CASE("\xf8\xff\xff\xff\x0f\x01", true),  // the highest number
        CASE("\x80\x80\x80\x80\x10\x01", false), // one more
    };
#undef CASE
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        if (read_both(cases[i].bytes) != cases[i].is_taken)
            fail_msg("case %zu", i);
}

static void of_too_many_names_the_count_is_right(void **state) {
    (void)state;
    uint8_t message[3 * LIST_MAX];
    for (size_t i = 0; i < LIST_MAX; i++)
        memcpy(message + 3 * i, "\x22\x01p", 3);
    assert_true(read_both(bytes_of(message, sizeof(message))));
    uint8_t empty[2 * LIST_MAX];
    for (size_t i = 0; i < LIST_MAX; i++)
        memcpy(empty + 2 * i, "\x32", 2);
    assert_true(read_both(bytes_of(empty, sizeof(empty))));
}

static bool read_in_a_new_arena(void *context) {
    struct validate_question question;
    struct arena arena;
    arena_init(&arena, 0);
    enum status status = validate_wire_read(*(const struct bytes *)context, &arena, &question);
    arena_fini(&arena);
    assert_true(status == STATUS_OK || status == STATUS_NO_MEMORY);
    return status == STATUS_OK;
}

static void a_question_without_memory_is_not_read(void **state) {
    (void)state;
    struct bytes request = BYTES_LITERAL("\x22\x01p");
    allocation_failure_try_each(read_in_a_new_arena, &request);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_written_as_protobuf_c_writes_it),
        cmocka_unit_test(an_answer_without_memory_is_none),
        cmocka_unit_test(a_zeroed_answer_denies),
        cmocka_unit_test(a_question_and_every_beginning_of_it_are_read_the_same),
        cmocka_unit_test(every_change_of_a_byte_is_read_the_same),
        cmocka_unit_test(what_the_wire_allows_and_forbids),
        cmocka_unit_test(of_too_many_names_the_count_is_right),
        cmocka_unit_test(a_question_without_memory_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
