#include "common/openid/openid_signature.h"

#include <cjose/cjose.h>
#include <ctype.h>

#include "common/base/arena.h"
#include "common/openid/openid_json.h"
#include "common/protobuf/base64.h"
#include "common/protobuf/json_heap.h"

enum { HEADER_MAX = 2048, KEY_ID_MAX = 512, RSA_BITS_MIN = 2048, RSA_BITS_MAX = 8192, RSA_TEXT_MAX = 1400 };
enum { NUMBER_TEXT_MAX = 64 }; // of others than an RSA modulus

// None that is symmetric: whoever knows the public key, or the client's secret, could sign by it.
static const struct algorithm {
    const char *name, *key_type, *curve;
} algorithms[] = {
    {"RS256", "RSA", NULL},
    {"PS256", "RSA", NULL},
    {"ES256", "EC", "P-256"},
};

// ---- base64, as JOSE has it: without '=' (RFC 7515, section 2) ----

// why before cjose sees it: it ends the process where a '=' leaves it with 6 bits.
static bool is_base64url(struct bytes text) {
    for (size_t i = 0; i < text.len; i++)
        if (!isalnum(text.data[i]) && text.data[i] != '-' && text.data[i] != '_')
            return false;
    return text.len > 0 && text.len % 4 != 1;
}

static const char *find_base64url(const json_t *key, const char *name, size_t max) {
    const char *text = openid_json_find_text(key, name, max);
    return text && is_base64url(bytes_of_text(text)) ? text : NULL;
}

// Header, claims and signature.
static bool has_three_parts(struct bytes token) {
    size_t count = 0;
    for (; token.data; count++)
        if (!is_base64url(bytes_split(&token, '.')))
            return false;
    return count == 3;
}

// ---- the header ----

static json_t *read_header(struct bytes token) {
    struct arena arena;
    struct bytes text;
    struct bytes encoded = bytes_split(&token, '.');
    json_t *header = NULL;
    arena_init(&arena, 0);
    if (encoded.len <= HEADER_MAX && base64_decode_any(&arena, encoded, &text) == STATUS_OK)
        header = json_heap_load_object(text);
    arena_fini(&arena);
    return header;
}

// What a header calls critical has to be understood, and nothing of that is.
static const struct algorithm *find_algorithm(const json_t *header) {
    const char *name = openid_json_find_text(header, "alg", KEY_ID_MAX);
    if (!name || json_object_get(header, "crit"))
        return NULL;
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
        if (strcmp(name, algorithms[i].name) == 0)
            return &algorithms[i];
    return NULL;
}

// ---- the key ----

static bool has_text(const json_t *object, const char *name, const char *expected) {
    const char *text = openid_json_find_text(object, name, KEY_ID_MAX);
    return text && strcmp(text, expected) == 0;
}

static bool has_text_or_none(const json_t *object, const char *name, const char *expected) {
    return !json_object_get(object, name) || has_text(object, name, expected);
}

static bool is_usable(const json_t *key, const struct algorithm *algorithm, const char *key_id) {
    return has_text(key, "kty", algorithm->key_type) && has_text_or_none(key, "use", "sig") &&
           has_text_or_none(key, "alg", algorithm->name) &&
           (!algorithm->curve || has_text(key, "crv", algorithm->curve)) &&
           (!key_id || has_text(key, "kid", key_id));
}

// A token that names no key is for the only one there is. Of two with one name neither is meant.
static json_t *find_key(const json_t *keys, const json_t *header, const struct algorithm *algorithm) {
    const char *key_id = openid_json_find_text(header, "kid", KEY_ID_MAX);
    json_t *key, *found = NULL;
    size_t i, count = 0;
    if (!key_id && json_object_get(header, "kid"))
        return NULL;
    json_array_foreach(json_object_get(keys, "keys"), i, key) {
        if (!is_usable(key, algorithm, key_id))
            continue;
        found = key;
        count++;
    }
    return count == 1 ? found : NULL;
}

// The parts of the public key alone, so that nothing else of the set reaches the library.
static cjose_jwk_t *import_key(const json_t *key, const struct algorithm *algorithm) {
    const char *n = find_base64url(key, "n", RSA_TEXT_MAX), *e = find_base64url(key, "e", NUMBER_TEXT_MAX);
    const char *x = find_base64url(key, "x", NUMBER_TEXT_MAX), *y = find_base64url(key, "y", NUMBER_TEXT_MAX);
    json_t *parts = NULL;
    if (algorithm->curve && x && y)
        parts = json_pack("{s:s,s:s,s:s,s:s}", "kty", "EC", "crv", algorithm->curve, "x", x, "y", y);
    if (!algorithm->curve && n && e)
        parts = json_pack("{s:s,s:s,s:s}", "kty", "RSA", "n", n, "e", e);
    cjose_jwk_t *jwk = parts ? cjose_jwk_import_json(parts, NULL) : NULL;
    json_decref(parts);
    return jwk;
}

static bool is_long_enough(const cjose_jwk_t *jwk, const struct algorithm *algorithm) {
    size_t bits = cjose_jwk_get_keysize(jwk, NULL);
    return algorithm->curve || (bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX);
}

// ---- the signature ----

static json_t *read_claims(const cjose_jws_t *jws) {
    uint8_t *text;
    size_t len;
    return cjose_jws_get_plaintext(jws, &text, &len, NULL) ? json_heap_load_object(bytes_of(text, len))
                                                           : NULL;
}

struct import {
    struct bytes token;
    cjose_jws_t *jws;
};

static void import_token(void *context) {
    struct import *import = context;
    import->jws = cjose_jws_import((const char *)import->token.data, import->token.len, NULL);
}

static enum openid_verdict verify(struct bytes token, const cjose_jwk_t *jwk, json_t **ret_claims) {
    struct import import = {token, NULL};
    enum openid_verdict verdict = OPENID_BROKEN;
    enum status status = json_heap_run(import_token, &import);
    cjose_jws_t *jws = status == STATUS_OK ? import.jws : NULL;
    if (jws)
        verdict = cjose_jws_verify(jws, jwk, NULL) ? OPENID_GOOD : OPENID_SIGNATURE_WRONG;
    if (verdict == OPENID_GOOD) {
        *ret_claims = read_claims(jws);
        verdict = *ret_claims ? OPENID_GOOD : OPENID_BROKEN;
    }
    cjose_jws_release(jws);
    return verdict;
}

static enum openid_verdict check(struct bytes token, const json_t *header, const json_t *keys,
                                 json_t **ret_claims) {
    const struct algorithm *algorithm = find_algorithm(header);
    if (!algorithm)
        return OPENID_ALGORITHM_REFUSED;
    const json_t *key = find_key(keys, header, algorithm);
    cjose_jwk_t *jwk = key ? import_key(key, algorithm) : NULL;
    enum openid_verdict verdict = OPENID_KEY_UNKNOWN;
    if (jwk && is_long_enough(jwk, algorithm))
        verdict = verify(token, jwk, ret_claims);
    cjose_jwk_release(jwk);
    return verdict;
}

enum openid_verdict openid_signature_check(struct bytes token, const json_t *keys, json_t **ret_claims) {
    if (token.len == 0 || token.len > OPENID_TOKEN_MAX || !has_three_parts(token))
        return OPENID_BROKEN;
    json_t *header = read_header(token);
    enum openid_verdict verdict = header ? check(token, header, keys, ret_claims) : OPENID_BROKEN;
    json_decref(header);
    return verdict;
}
