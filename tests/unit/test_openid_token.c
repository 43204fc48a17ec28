// An ID token that was made for us, and what is left of it when anything else is asked of it. Its keys stand
// in the corpus of the fuzz target; what a provider may do wrong is for
// tests/integration/console/test_console_openid_tokens.py, which signs tokens of its own.
#include "common/base/whole_file.h"
#include "common/openid/openid_token.h"
#include "common/protobuf/json_heap.h"
#include "tests/unit/unit.h"

#define FILE_MAX 16384

struct sample {
    struct buffer text;
    struct bytes token;
    json_t *keys;
};

static const struct openid_expectation expected = {.issuer = "https://id.example.com",
                                                   .client_id = "console",
                                                   .nonce = "n",
                                                   .now_ms = INT64_C(1767268800000),
                                                   .skew_ms = 60000};

static struct sample read_sample(const char *path) {
    struct sample sample = {0};
    char error[256];
    assert_int_equal(whole_file_read(path, &sample.text, FILE_MAX, error, sizeof(error)), STATUS_OK);
    struct bytes rest = buffer_get_bytes(&sample.text);
    sample.token = bytes_split(&rest, '\n');
    sample.keys = json_heap_load_object(rest);
    assert_non_null(sample.keys);
    return sample;
}

static void free_sample(struct sample *sample) {
    json_decref(sample->keys);
    buffer_fini(&sample->text);
}

static enum openid_verdict check(const struct sample *sample, const struct openid_expectation *by) {
    struct openid_identity identity = {.subject = "nobody"};
    enum openid_verdict verdict = openid_token_check(sample->token, sample->keys, by, &identity);
    assert_string_equal(identity.subject, verdict == OPENID_GOOD ? "s-1" : "nobody");
    assert_string_equal(identity.email, verdict == OPENID_GOOD ? "ada@example.com" : "");
    return verdict;
}

static void a_token_made_for_us_is_good(void **state) {
    (void)state;
    static const char *const paths[] = {"tests/fuzz/corpus/openid/good-rs256",
                                        "tests/fuzz/corpus/openid/good-es256"};
    for (size_t i = 0; i < ARRAY_LENGTH(paths); i++) {
        struct sample sample = read_sample(paths[i]);
        assert_int_equal(check(&sample, &expected), OPENID_GOOD);
        free_sample(&sample);
    }
}

static void each_expectation_counts(void **state) {
    (void)state;
    struct sample sample = read_sample("tests/fuzz/corpus/openid/good-es256");
    struct openid_expectation other = expected;
    other.issuer = "https://id.example.com/";
    assert_int_equal(check(&sample, &other), OPENID_ISSUER_WRONG);
    other = expected;
    other.client_id = "consol";
    assert_int_equal(check(&sample, &other), OPENID_AUDIENCE_WRONG);
    other = expected;
    other.nonce = "N";
    assert_int_equal(check(&sample, &other), OPENID_NONCE_WRONG);
    other = expected;
    other.now_ms = INT64_C(4102444800000) + expected.skew_ms; // its end
    assert_int_equal(check(&sample, &other), OPENID_TIME_WRONG);
    other.now_ms--;
    assert_int_equal(check(&sample, &other), OPENID_GOOD);
    other.now_ms = INT64_C(1700000000000) - expected.skew_ms; // its beginning
    assert_int_equal(check(&sample, &other), OPENID_GOOD);
    other.now_ms--;
    assert_int_equal(check(&sample, &other), OPENID_TIME_WRONG);
    free_sample(&sample);
}

// The last one of a part has bits that no byte has.
static void each_character_counts(void **state) {
    (void)state;
    struct sample sample = read_sample("tests/fuzz/corpus/openid/good-es256");
    size_t len = sample.token.len;
    for (size_t i = 0; i < len; i++) {
        uint8_t *at = &sample.text.data[i], kept = *at;
        *at = kept == 'B' ? 'k' : 'B';
        bool is_last = i + 1 == len || sample.text.data[i + 1] == '.';
        enum openid_verdict verdict = check(&sample, &expected);
        assert_true(verdict != OPENID_GOOD || is_last);
        *at = kept;
    }
    for (size_t i = 0; i < len; i++) {
        sample.token.len = i;
        assert_int_not_equal(check(&sample, &expected), OPENID_GOOD);
    }
    free_sample(&sample);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_made_for_us_is_good),
        cmocka_unit_test(each_expectation_counts),
        cmocka_unit_test(each_character_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
