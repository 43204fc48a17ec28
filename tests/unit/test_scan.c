// The scan against hand-made messages, and against protobuf-c: what passes always unpacks, and means the same
// when it is packed again.
#include <stdlib.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/protobuf/message.h"
#include "common/protobuf/scan.h"
#include "google/protobuf/descriptor.pb-c.h"
#include "google/protobuf/wrappers.pb-c.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

#define STRING_VALUE (&google__protobuf__string_value__descriptor)
#define STATUS (&google__rpc__status__descriptor)
#define FILE_TYPE (&google__protobuf__file_descriptor_proto__descriptor)
#define MESSAGE_TYPE (&google__protobuf__descriptor_proto__descriptor)
#define OPTION (&google__protobuf__uninterpreted_option__descriptor)
#define LOCATION (&google__protobuf__source_code_info__location__descriptor)

static void assert_scan(const ProtobufCMessageDescriptor *descriptor, struct bytes message,
                        enum scan_result expected) {
    // In memory of its own, so that AddressSanitizer sees a read beyond the end.
    uint8_t *exact = malloc(message.len ? message.len : 1);
    if (message.len > 0)
        memcpy(exact, message.data, message.len);
    assert_int_equal(scan_message(descriptor, bytes_of(exact, message.len)), expected);
    free(exact);
}

static void well_formed_messages_pass(void **state) {
    (void)state;
    assert_scan(STRING_VALUE, BYTES_EMPTY, SCAN_OK);
    assert_scan(STRING_VALUE, BYTES_LITERAL("\x0a\x00"), SCAN_OK);
    assert_scan(STRING_VALUE, BYTES_LITERAL("\x0a\x05hello"), SCAN_OK);
    assert_scan(STRING_VALUE, BYTES_LITERAL("\x0a\x07☺\xf0\x9f\x98\x88"), SCAN_OK);
    assert_scan(STATUS, BYTES_LITERAL("\x08\x05\x12\x02hi\x1a\x04\x0a\x02/a"), SCAN_OK);
}

static void negative_numbers_take_ten_bytes(void **state) {
    (void)state;
    assert_scan(STATUS, BYTES_LITERAL("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), SCAN_OK);
    assert_scan(STATUS, BYTES_LITERAL("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), SCAN_BAD_VARINT);
}

static void strings_must_be_utf8_without_nul(void **state) {
    (void)state;
    assert_scan(STRING_VALUE, BYTES_LITERAL("\x0a\x0egood.com\0.evil"), SCAN_NUL_IN_STRING);
    assert_scan(STRING_VALUE, BYTES_LITERAL("\x0a\x01\x80"), SCAN_BAD_UTF8);
    assert_scan(STRING_VALUE, BYTES_LITERAL("\x0a\x02\xc0\xaf"), SCAN_BAD_UTF8);
    assert_scan(STRING_VALUE, BYTES_LITERAL("\x0a\x03\xed\xa0\x80"), SCAN_BAD_UTF8);
}

static void bytes_may_hold_anything(void **state) {
    (void)state;
    assert_scan(STATUS, BYTES_LITERAL("\x1a\x05\x12\x03\x00\x80\xff"), SCAN_OK);
}

static void every_cut_of_a_message_is_truncated_or_shorter(void **state) {
    (void)state;
    struct bytes whole = BYTES_LITERAL("\x08\x85\x01\x12\x02hi\x1a\x08\x0a\x02/a\x12\x02xy");
    assert_scan(STATUS, whole, SCAN_OK);
    for (size_t len = 0; len < whole.len; len++) {
        bool is_between_fields = len == 0 || len == 3 || len == 7;
        assert_scan(STATUS, bytes_of(whole.data, len), is_between_fields ? SCAN_OK : SCAN_TRUNCATED);
    }
}

static void a_length_beyond_the_end_is_truncated(void **state) {
    (void)state;
    assert_scan(STRING_VALUE, BYTES_LITERAL("\x0a\xff\xff\xff\xff\x0fx"), SCAN_TRUNCATED);
    assert_scan(STRING_VALUE, BYTES_LITERAL("\x0a\xff\xff\xff\xff\xff\x01x"), SCAN_BAD_VARINT);
    // The inner length must end inside of the outer one.
    assert_scan(STATUS, BYTES_LITERAL("\x1a\x02\x0a\x05hello"), SCAN_TRUNCATED);
}

static void unknown_fields_pass_when_they_are_framed(void **state) {
    (void)state;
    assert_scan(STRING_VALUE, BYTES_LITERAL("\x98\x06\x01"), SCAN_OK);
    assert_scan(STRING_VALUE, BYTES_LITERAL("\x9a\x06\x01\xff"), SCAN_OK);
    assert_scan(STRING_VALUE, BYTES_LITERAL("\x99\x06\x01\x02\x03\x04\x05\x06\x07\x08"), SCAN_OK);
    assert_scan(STRING_VALUE, BYTES_LITERAL("\x9d\x06\x01\x02\x03\x04"), SCAN_OK);
    assert_scan(STRING_VALUE, BYTES_LITERAL("\x9d\x06\x01\x02\x03"), SCAN_TRUNCATED);
}

static void groups_and_impossible_numbers_are_refused(void **state) {
    (void)state;
    assert_scan(STRING_VALUE, BYTES_LITERAL("\x9b\x06"), SCAN_BAD_TAG);
    assert_scan(STRING_VALUE, BYTES_LITERAL("\x9c\x06"), SCAN_BAD_TAG);
    assert_scan(STRING_VALUE, BYTES_LITERAL("\x9e\x06"), SCAN_BAD_TAG);
    assert_scan(STRING_VALUE, BYTES_LITERAL("\x02\x00"), SCAN_BAD_TAG);
    assert_scan(STRING_VALUE, BYTES_LITERAL("\xfa\xff\xff\xff\x1f\x00"), SCAN_BAD_TAG);
    assert_scan(STRING_VALUE, BYTES_LITERAL("\x8a\x80\x80\x80\x80\x00\x00"), SCAN_BAD_VARINT);
}

static void a_known_field_has_its_own_wire_type(void **state) {
    (void)state;
    assert_scan(STRING_VALUE, BYTES_LITERAL("\x08\x01"), SCAN_BAD_WIRE_TYPE);
    assert_scan(STATUS, BYTES_LITERAL("\x0a\x01\x01"), SCAN_BAD_WIRE_TYPE);
    assert_scan(STATUS, BYTES_LITERAL("\x0d\x01\x01\x01\x01"), SCAN_BAD_WIRE_TYPE);
    assert_scan(OPTION, BYTES_LITERAL("\x31\x01\x02\x03\x04\x05\x06\x07\x08"), SCAN_OK);
    assert_scan(OPTION, BYTES_LITERAL("\x30\x01"), SCAN_BAD_WIRE_TYPE);
}

static void repeated_numbers_come_packed_or_not(void **state) {
    (void)state;
    assert_scan(LOCATION, BYTES_LITERAL("\x0a\x04\x01\x02\x96\x01"), SCAN_OK);
    assert_scan(LOCATION, BYTES_LITERAL("\x08\x01\x08\x02"), SCAN_OK);
    assert_scan(LOCATION, BYTES_LITERAL("\x0a\x02\x01\x96"), SCAN_TRUNCATED);
    assert_scan(FILE_TYPE, BYTES_LITERAL("\x50\x01\x52\x02\x01\x02"), SCAN_OK);
}

// nested_type (field 3) inside of itself, `depth` times.
static struct bytes nest(struct buffer *buffer, unsigned depth) {
    buffer_reset(buffer);
    for (unsigned i = 0; i < depth; i++) {
        struct buffer outer = {0};
        size_t len = buffer->len;
        buffer_append_byte(&outer, 0x1a);
        for (; len >= 0x80; len >>= 7)
            buffer_append_byte(&outer, (uint8_t)(len | 0x80));
        buffer_append_byte(&outer, (uint8_t)len);
        buffer_append(&outer, buffer_get_bytes(buffer));
        buffer_fini(buffer);
        *buffer = outer;
    }
    return buffer_get_bytes(buffer);
}

static void the_depth_is_limited(void **state) {
    (void)state;
    struct buffer buffer = {0};
    assert_scan(MESSAGE_TYPE, nest(&buffer, SCAN_DEPTH_MAX - 1), SCAN_OK);
    assert_scan(MESSAGE_TYPE, nest(&buffer, SCAN_DEPTH_MAX), SCAN_TOO_DEEP);
    assert_scan(MESSAGE_TYPE, nest(&buffer, 10000), SCAN_TOO_DEEP);
    buffer_fini(&buffer);
}

static void the_number_of_fields_is_limited(void **state) {
    (void)state;
    size_t len = 2 * (SCAN_FIELDS_MAX + 1);
    uint8_t *empty_messages = malloc(len);
    for (size_t i = 0; i < len; i += 2)
        memcpy(empty_messages + i, "\x1a\x00", 2);
    assert_scan(MESSAGE_TYPE, bytes_of(empty_messages, len - 2), SCAN_OK);
    assert_scan(MESSAGE_TYPE, bytes_of(empty_messages, len), SCAN_TOO_MANY_FIELDS);
    free(empty_messages);
}

static void elements_of_packed_fields_are_counted(void **state) {
    (void)state;
    struct buffer buffer = {0};
    uint32_t count = SCAN_FIELDS_MAX;
    buffer_append_byte(&buffer, 0x0a);
    for (; count >= 0x80; count >>= 7)
        buffer_append_byte(&buffer, (uint8_t)(count | 0x80));
    buffer_append_byte(&buffer, (uint8_t)count);
    for (size_t i = 0; i < SCAN_FIELDS_MAX; i++)
        buffer_append_byte(&buffer, 1);
    assert_scan(LOCATION, buffer_get_bytes(&buffer), SCAN_TOO_MANY_FIELDS);
    buffer_fini(&buffer);
}

static void every_result_has_a_sentence_of_its_own(void **state) {
    (void)state;
    for (unsigned i = SCAN_OK; i <= SCAN_TOO_MANY_FIELDS; i++)
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(scan_result_get_text((enum scan_result)i),
                                    scan_result_get_text((enum scan_result)k));
}

static void what_passes_unpacks_and_packs_to_the_same_meaning(void **state) {
    (void)state;
    // A descriptor of a type, as bytes: enough kinds of fields to break in many ways.
    static const char seed_message[] = "\x0a\x04name\x12\x0b\x0a\x01"
                                       "f\x18\x05 \x01(\x09"
                                       "H\x01\x1a\x06\x0a\x04type"
                                       "\"\x05\x0a\x03"
                                       "one*\x04\x08\x01\x10\x02:\x02\x18\x01";
    assert_scan(MESSAGE_TYPE, bytes_of(seed_message, sizeof(seed_message) - 1), SCAN_OK);
    struct seed seed = seed_new();
    struct arena arena;
    arena_init(&arena, 0);
    unsigned passed = 0;
    for (unsigned i = 0; i < 200000; i++) {
        uint8_t data[sizeof(seed_message) - 1];
        memcpy(data, seed_message, sizeof(data));
        size_t changes = seed_next_below(&seed, 4);
        for (size_t k = 0; k < changes; k++)
            data[seed_next_below(&seed, sizeof(data))] = (uint8_t)seed_next(&seed);
        struct bytes message = bytes_of(data, sizeof(data) - seed_next_below(&seed, 3));
        if (scan_message(MESSAGE_TYPE, message) != SCAN_OK)
            continue;
        passed++;
        ProtobufCMessage *first, *second;
        const char *text;
        assert_int_equal(message_unpack(MESSAGE_TYPE, message, &arena, &first, &text), STATUS_OK);
        struct bytes packed = message_pack(first, 0, &arena);
        assert_int_equal(message_unpack(MESSAGE_TYPE, packed, &arena, &second, &text), STATUS_OK);
        assert_true(bytes_is_equal(message_pack(second, 0, &arena), packed));
        arena_reset(&arena);
    }
    arena_fini(&arena);
    assert_true(passed > 1000);
}

static void an_arena_without_room_is_told_as_too_large(void **state) {
    (void)state;
    struct arena arena;
    ProtobufCMessage *message;
    const char *text = NULL;
    for (size_t limit = 16; limit < 256; limit += 16) {
        arena_init(&arena, limit);
        enum status status = message_unpack(
            STATUS, BYTES_LITERAL("\x08\x05\x12\x02hi\x1a\x04\x0a\x02/a\x1a\x00"), &arena, &message, &text);
        if (status != STATUS_OK)
            assert_int_equal(status, STATUS_TOO_LARGE);
        assert_true(limit > 64 || status == STATUS_TOO_LARGE);
        arena_fini(&arena);
    }
    assert_non_null(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_messages_pass),
        cmocka_unit_test(negative_numbers_take_ten_bytes),
        cmocka_unit_test(strings_must_be_utf8_without_nul),
        cmocka_unit_test(bytes_may_hold_anything),
        cmocka_unit_test(every_cut_of_a_message_is_truncated_or_shorter),
        cmocka_unit_test(a_length_beyond_the_end_is_truncated),
        cmocka_unit_test(unknown_fields_pass_when_they_are_framed),
        cmocka_unit_test(groups_and_impossible_numbers_are_refused),
        cmocka_unit_test(a_known_field_has_its_own_wire_type),
        cmocka_unit_test(repeated_numbers_come_packed_or_not),
        cmocka_unit_test(the_depth_is_limited),
        cmocka_unit_test(the_number_of_fields_is_limited),
        cmocka_unit_test(elements_of_packed_fields_are_counted),
        cmocka_unit_test(every_result_has_a_sentence_of_its_own),
        cmocka_unit_test(what_passes_unpacks_and_packs_to_the_same_meaning),
        cmocka_unit_test(an_arena_without_room_is_told_as_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
