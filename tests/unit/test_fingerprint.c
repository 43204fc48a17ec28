// Against OpenSSL's SipHash.
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

#include "common/crypto/fingerprint.h"
#include "tests/unit/seed.h"
#include "tests/unit/unit.h"

static void fill(struct seed *seed, void *to, size_t len) {
    uint8_t *bytes = to;
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)seed_next_below(seed, 256);
}

static struct fingerprint make_with_openssl(const struct fingerprint_key *key, const struct digest *digest) {
    struct fingerprint fingerprint;
    size_t size = sizeof(fingerprint), len = 0;
    const OSSL_PARAM params[] = {OSSL_PARAM_size_t("size", &size), OSSL_PARAM_END};
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
    assert_true(context &&
                EVP_MAC_init(context, (const uint8_t *)key->words, sizeof(key->words), params) == 1);
    assert_int_equal(EVP_MAC_update(context, digest->bytes, sizeof(digest->bytes)), 1);
    assert_int_equal(EVP_MAC_final(context, (uint8_t *)fingerprint.words, &len, sizeof(fingerprint)), 1);
    assert_int_equal(len, sizeof(fingerprint));
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(mac);
    return fingerprint;
}

static void it_is_siphash(void **state) {
    (void)state;
    struct seed seed = seed_new();
    for (int i = 0; i < 1000; i++) {
        struct fingerprint_key key;
        struct digest digest;
        fill(&seed, &key, sizeof(key));
        fill(&seed, &digest, sizeof(digest));
        struct fingerprint ours = fingerprint_of(&key, &digest), theirs = make_with_openssl(&key, &digest);
        assert_memory_equal(&ours, &theirs, sizeof(ours));
    }
}

static void every_bit_of_key_and_digest_counts(void **state) {
    (void)state;
    struct fingerprint_key key = {{1, 2}};
    struct digest digest = {{3}};
    struct fingerprint plain = fingerprint_of(&key, &digest);
    for (size_t bit = 0; bit < 8 * sizeof(digest); bit++) {
        struct digest other = digest;
        other.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct fingerprint fingerprint = fingerprint_of(&key, &other);
        assert_false(fingerprint_is_equal(&fingerprint, &plain));
    }
    for (size_t bit = 0; bit < 8 * sizeof(key); bit++) {
        struct fingerprint_key other = key;
        other.words[bit / 64] ^= UINT64_C(1) << bit % 64;
        struct fingerprint fingerprint = fingerprint_of(&other, &digest);
        assert_false(fingerprint_is_equal(&fingerprint, &plain));
    }
}

static void one_word_alike_is_not_equal(void **state) {
    (void)state;
    const struct fingerprint a = {{1, 2}}, b = {{1, 3}}, c = {{4, 2}};
    assert_true(fingerprint_is_equal(&a, &a));
    assert_false(fingerprint_is_equal(&a, &b));
    assert_false(fingerprint_is_equal(&a, &c));
}

static void each_key_is_another(void **state) {
    (void)state;
    struct fingerprint_key a = fingerprint_key_new(), b = fingerprint_key_new();
    assert_memory_not_equal(&a, &b, sizeof(a));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_siphash),
        cmocka_unit_test(every_bit_of_key_and_digest_counts),
        cmocka_unit_test(one_word_alike_is_not_equal),
        cmocka_unit_test(each_key_is_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
