// Digests: the published vectors of SHA-256 (FIPS 180-2) and of HMAC-SHA-256 (RFC 4231).
#include <stdio.h>
#include <string.h>

#include "common/crypto/digest.h"
#include "tests/unit/unit.h"

static void assert_digest(const struct digest *digest, const char *hex) {
    char text[2 * DIGEST_LENGTH + 1];
    for (size_t i = 0; i < DIGEST_LENGTH; i++)
        snprintf(text + 2 * i, 3, "%02x", digest->bytes[i]);
    assert_string_equal(text, hex);
}

static void sha256_gives_the_published_digests(void **state) {
    (void)state;
    static const struct {
        const char *data, *hex;
    } vectors[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(vectors); i++) {
        struct digest digest;
        digest_sha256(bytes_of_text(vectors[i].data), &digest);
        assert_digest(&digest, vectors[i].hex);
    }
}

// Hands out a text in pieces of `step` bytes.
struct pieces {
    struct bytes left;
    size_t step;
};

static bool take_piece(void *context, struct bytes *ret_piece) {
    struct pieces *pieces = context;
    size_t len = pieces->left.len < pieces->step ? pieces->left.len : pieces->step;
    *ret_piece = bytes_of(pieces->left.data, len);
    pieces->left = bytes_of(pieces->left.data + len, pieces->left.len - len);
    return len > 0;
}

static void in_pieces_the_digest_is_that_of_the_whole(void **state) {
    (void)state;
    struct bytes whole = bytes_of_text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq");
    struct digest wanted, digest;
    digest_sha256(whole, &wanted);
    for (size_t step = 1; step <= whole.len + 1; step++) {
        digest_sha256_pieces(take_piece, &(struct pieces){whole, step}, &digest);
        assert_true(digest_is_equal(&digest, &wanted));
    }
    digest_sha256(BYTES_EMPTY, &wanted);
    digest_sha256_pieces(take_piece, &(struct pieces){BYTES_EMPTY, 1}, &digest);
    assert_true(digest_is_equal(&digest, &wanted));
}

// What fits one block is padded by hand, which the pieces are not.
static void every_length_up_to_three_blocks_is_padded_as_in_pieces(void **state) {
    (void)state;
    uint8_t text[3 * 64];
    struct digest whole, in_pieces;
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (uint8_t)(i * 7 + 1);
    for (size_t len = 0; len <= sizeof(text); len++) {
        digest_sha256(bytes_of(text, len), &whole);
        digest_sha256_pieces(take_piece, &(struct pieces){bytes_of(text, len), 13}, &in_pieces);
        assert_true(digest_is_equal(&whole, &in_pieces));
    }
}

static void two_at_once_have_the_digests_of_each(void **state) {
    (void)state;
    uint8_t texts[2][64];
    struct digest alone[2], together[2];
    struct digest *const digests[] = {&together[0], &together[1]};
    for (size_t i = 0; i < 2 * sizeof(texts[0]); i++)
        texts[i / 64][i % 64] = (uint8_t)(i * 11 + 5);
    for (size_t i = 0; i < 64 * 64; i++) {
        const struct bytes data[] = {bytes_of(texts[0], i / 64), bytes_of(texts[1], i % 64)};
        digest_sha256_pair(data, digests);
        digest_sha256(data[0], &alone[0]);
        digest_sha256(data[1], &alone[1]);
        assert_memory_equal(together, alone, sizeof(alone));
    }
}

static void hmac_gives_the_published_codes(void **state) {
    (void)state;
    static const struct {
        const char *key, *data, *hex;
    } vectors[] = {
        {"\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b", "Hi There",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"Jefe", "what do ya want for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(vectors); i++) {
        struct digest digest;
        assert_int_equal(
            digest_hmac_sha256(bytes_of_text(vectors[i].key), bytes_of_text(vectors[i].data), &digest),
            STATUS_OK);
        assert_digest(&digest, vectors[i].hex);
    }
}

static void a_difference_in_any_byte_is_seen(void **state) {
    (void)state;
    struct digest one = {{0}}, other = {{0}};
    assert_true(digest_is_equal(&one, &other));
    for (size_t i = 0; i < DIGEST_LENGTH; i++) {
        other.bytes[i] = 1;
        assert_false(digest_is_equal(&one, &other));
        other.bytes[i] = 0;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_gives_the_published_digests),
        cmocka_unit_test(in_pieces_the_digest_is_that_of_the_whole),
        cmocka_unit_test(two_at_once_have_the_digests_of_each),
        cmocka_unit_test(every_length_up_to_three_blocks_is_padded_as_in_pieces),
        cmocka_unit_test(hmac_gives_the_published_codes),
        cmocka_unit_test(a_difference_in_any_byte_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
