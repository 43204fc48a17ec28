#include "common/openid/openid_token.h"

#include "common/openid/openid_json.h"
#include "common/openid/openid_signature.h"
#include "common/openid/openid_url.h"

enum { AUDIENCE_MAX = 512, NONCE_MAX = 128, MS_PER_SECOND = 1000 };

#define SECONDS_MAX INT64_C(253402300799) // the end of the year 9999

const char *openid_verdict_get_text(enum openid_verdict verdict) {
    static const char *const texts[] = {
        [OPENID_BROKEN] = "its ID token can't be read",
        [OPENID_ALGORITHM_REFUSED] = "its ID token is not signed by RS256, PS256 or ES256",
        [OPENID_KEY_UNKNOWN] = "its ID token is signed by a key that it does not publish",
        [OPENID_SIGNATURE_WRONG] = "its ID token's signature is wrong",
        [OPENID_ISSUER_WRONG] = "its ID token names another issuer",
        [OPENID_AUDIENCE_WRONG] = "its ID token is for another client",
        [OPENID_TIME_WRONG] = "its ID token is not for now; compare the clocks",
        [OPENID_NONCE_WRONG] = "its ID token is for another sign-in",
        [OPENID_GOOD] = "good",
    };
    return texts[verdict];
}

static bool is_text(const char *text, const char *expected) {
    return text && strcmp(text, expected) == 0;
}

// ---- for whom ----

// Of several audiences, all of whom it reaches, the one that asked for it must be us.
static bool is_for(const json_t *claims, const char *client_id) {
    const json_t *audience = json_object_get(claims, "aud");
    size_t count = json_array_size(audience);
    bool has_party = json_object_get(claims, "azp") != NULL;
    bool is_party = is_text(openid_json_find_text(claims, "azp", AUDIENCE_MAX), client_id);
    bool is_named = is_text(openid_json_find_text(claims, "aud", AUDIENCE_MAX), client_id);
    for (size_t i = 0; i < count; i++) {
        const json_t *name = json_array_get(audience, i);
        is_named |=
            json_string_length(name) == strlen(client_id) && is_text(json_string_value(name), client_id);
    }
    return is_named && (is_party || (!has_party && count <= 1));
}

// ---- when ----

static bool find_ms(const json_t *claims, const char *name, int64_t *ret_ms) {
    const json_t *value = json_object_get(claims, name);
    double seconds = json_number_value(value);
    if (!json_is_number(value) || !(seconds >= 0 && seconds <= (double)SECONDS_MAX))
        return false;
    *ret_ms = (int64_t)seconds * MS_PER_SECOND;
    return true;
}

static bool is_for_now(const json_t *claims, const struct openid_expectation *expected) {
    int64_t expires_ms, issued_ms, begins_ms = 0;
    if (!find_ms(claims, "exp", &expires_ms) || !find_ms(claims, "iat", &issued_ms) ||
        (json_object_get(claims, "nbf") && !find_ms(claims, "nbf", &begins_ms)))
        return false;
    return expected->now_ms < expires_ms + expected->skew_ms &&
           issued_ms <= expected->now_ms + expected->skew_ms &&
           begins_ms <= expected->now_ms + expected->skew_ms;
}

// ---- who ----

// why the very value true: a provider that writes "true" as a text may mean by it what it says elsewhere.
static const char *find_email(const json_t *claims) {
    const char *email = openid_json_find_text(claims, "email", OPENID_EMAIL_MAX);
    return email && json_is_true(json_object_get(claims, "email_verified")) ? email : "";
}

static enum openid_verdict judge(const json_t *claims, const struct openid_expectation *expected,
                                 struct openid_identity *ret_identity) {
    const char *subject = openid_json_find_text(claims, "sub", OPENID_SUBJECT_MAX);
    if (!is_text(openid_json_find_text(claims, "iss", OPENID_URL_MAX), expected->issuer))
        return OPENID_ISSUER_WRONG;
    if (!is_for(claims, expected->client_id))
        return OPENID_AUDIENCE_WRONG;
    if (!is_for_now(claims, expected))
        return OPENID_TIME_WRONG;
    if (!is_text(openid_json_find_text(claims, "nonce", NONCE_MAX), expected->nonce))
        return OPENID_NONCE_WRONG;
    if (!subject || !*subject)
        return OPENID_BROKEN;
    *ret_identity = (struct openid_identity){0};
    memcpy(ret_identity->subject, subject, strlen(subject));
    const char *email = find_email(claims);
    memcpy(ret_identity->email, email, strlen(email));
    return OPENID_GOOD;
}

enum openid_verdict openid_token_check(struct bytes token, const json_t *keys,
                                       const struct openid_expectation *expected,
                                       struct openid_identity *ret_identity) {
    json_t *claims = NULL;
    enum openid_verdict verdict = openid_signature_check(token, keys, &claims);
    if (verdict == OPENID_GOOD)
        verdict = judge(claims, expected, ret_identity);
    json_decref(claims);
    return verdict;
}
