#include "common/openid/openid_provider.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/arena.h"
#include "common/base/log.h"
#include "common/base/whole_file.h"
#include "common/crypto/digest.h"
#include "common/openid/openid_document.h"
#include "common/openid/openid_form.h"
#include "common/openid/openid_json.h"
#include "common/protobuf/base64.h"
#include "common/protobuf/json_heap.h"

#define DISCOVERY_PATH "/.well-known/openid-configuration"

enum { SECRET_FILE_MAX = 8192, ERROR_MAX = 512, CHALLENGE_MAX = 64 };
enum { NS_PER_MS = 1000000 };

// Of something that is fetched and kept.
struct freshness {
    uint64_t ends_ns;  // boot time; 0 = there is none
    uint64_t again_ns; // not asked for before
};

struct openid_provider {
    struct openid_options options;
    char discovery_url[OPENID_URL_MAX + sizeof(DISCOVERY_PATH)];

    // Of all below, and held while the provider is asked for it.
    pthread_mutex_t mutex;
    struct openid_document document;
    struct freshness of_document;
    json_t *keys; // NULL = none
    struct freshness of_keys;
};

// ---- life ----

enum status openid_provider_new(const struct openid_options *options, struct openid_provider **ret_provider) {
    struct openid_provider *provider =
        openid_fetch_prepare() == STATUS_OK ? calloc(1, sizeof(*provider)) : NULL;
    if (!provider)
        return STATUS_NO_MEMORY;
    size_t len = strlen(options->issuer);
    while (len > 0 && options->issuer[len - 1] == '/')
        len--;
    provider->options = *options;
    snprintf(provider->discovery_url, sizeof(provider->discovery_url), "%.*s%s", (int)len, options->issuer,
             DISCOVERY_PATH);
    pthread_mutex_init(&provider->mutex, NULL);
    *ret_provider = provider;
    return STATUS_OK;
}

void openid_provider_free(struct openid_provider *provider) {
    if (!provider)
        return;
    json_decref(provider->keys);
    pthread_mutex_destroy(&provider->mutex);
    free(provider);
}

static void complain(const struct openid_provider *provider, const char *words) {
    log_event(LOG_LEVEL_WARNING, "the OpenID provider can't sign anybody in",
              LOG_TEXT("issuer", provider->options.issuer), LOG_TEXT("reason", words));
}

// ---- what is kept ----

static uint64_t get_now_ns(const struct openid_provider *provider) {
    return clock_get_boottime_ns(provider->options.clock);
}

static void note(const struct openid_provider *provider, bool is_had, struct freshness *freshness) {
    uint64_t now_ns = get_now_ns(provider);
    freshness->again_ns = now_ns + (uint64_t)provider->options.retry_ms * NS_PER_MS;
    if (is_had)
        freshness->ends_ns = now_ns + (uint64_t)provider->options.kept_ms * NS_PER_MS;
}

static enum status get(const struct openid_provider *provider, const char *url,
                       const struct openid_stop *stop, struct buffer *answer) {
    char words[OPENID_WORDS_MAX];
    const struct openid_request request = {.url = url,
                                           .ca_file = provider->options.ca_file,
                                           .timeout_ms = provider->options.timeout_ms,
                                           .answer_max = provider->options.answer_max,
                                           .stop = *stop};
    enum status status = openid_fetch(&request, answer, words);
    if (status != STATUS_OK)
        complain(provider, words);
    return status;
}

static bool fetch_document(struct openid_provider *provider, const struct openid_stop *stop) {
    struct buffer answer = {0};
    const char *lack = NULL;
    bool is_had = get(provider, provider->discovery_url, stop, &answer) == STATUS_OK;
    if (is_had)
        lack = openid_document_read(buffer_get_bytes(&answer), provider->options.issuer, &provider->document);
    if (lack)
        complain(provider, lack);
    buffer_fini(&answer);
    return is_had && !lack;
}

static bool fetch_keys(struct openid_provider *provider, const struct openid_stop *stop) {
    struct buffer answer = {0};
    bool is_had = get(provider, provider->document.keys_url, stop, &answer) == STATUS_OK;
    json_t *keys = is_had ? json_heap_load_object(buffer_get_bytes(&answer)) : NULL;
    if (is_had && !keys)
        complain(provider, "its keys are no JSON");
    buffer_fini(&answer);
    if (!keys)
        return false;
    json_decref(provider->keys);
    provider->keys = keys;
    return true;
}

// Fetches it unless it is fresh, or has been asked for just now. Under the mutex.
static bool have(struct openid_provider *provider, struct freshness *freshness,
                 bool (*fetch)(struct openid_provider *, const struct openid_stop *),
                 const struct openid_stop *stop) {
    uint64_t now_ns = get_now_ns(provider);
    if (freshness->ends_ns > now_ns)
        return true;
    if (freshness->again_ns > now_ns)
        return false;
    bool is_had = fetch(provider, stop);
    note(provider, is_had, freshness);
    return is_had;
}

// The keys change when the provider makes new ones. Those that there are stay where there are no newer.
static bool renew_keys(struct openid_provider *provider, const struct openid_stop *stop) {
    if (provider->of_keys.again_ns > get_now_ns(provider))
        return false;
    bool is_had = fetch_keys(provider, stop);
    note(provider, is_had, &provider->of_keys);
    return is_had;
}

static bool copy_document(struct openid_provider *provider, const struct openid_stop *stop,
                          struct openid_document *ret_document) {
    pthread_mutex_lock(&provider->mutex);
    bool is_had = have(provider, &provider->of_document, fetch_document, stop);
    if (is_had)
        *ret_document = provider->document;
    pthread_mutex_unlock(&provider->mutex);
    return is_had;
}

// ---- there ----

// Base64 of the digest, as URLs have it.
static void append_challenge(struct buffer *url, const char *verifier) {
    struct arena arena;
    struct digest digest;
    char text[CHALLENGE_MAX] = "";
    digest_sha256(bytes_of_text(verifier), &digest);
    arena_init(&arena, 0);
    struct bytes encoded = base64_encode(&arena, bytes_of(digest.bytes, sizeof(digest.bytes)));
    for (size_t i = 0; i < encoded.len && i < sizeof(text) - 1; i++)
        text[i] = encoded.data[i] == '+' ? '-' : encoded.data[i] == '/' ? '_' : (char)encoded.data[i];
    arena_fini(&arena);
    url->failed |= !*text;
    openid_form_append(url, '&', "code_challenge", bytes_of_text(text));
}

enum status openid_provider_write_url(struct openid_provider *provider, const struct openid_sign_in *sign_in,
                                      const struct openid_stop *stop, struct buffer *url) {
    struct openid_document document;
    if (!copy_document(provider, stop, &document))
        return STATUS_UNAVAILABLE;
    buffer_append_text(url, document.authorization_url);
    openid_form_append(url, strchr(document.authorization_url, '?') ? '&' : '?', "response_type",
                       BYTES_LITERAL("code"));
    openid_form_append(url, '&', "scope", BYTES_LITERAL("openid email"));
    openid_form_append(url, '&', "client_id", bytes_of_text(provider->options.client_id));
    openid_form_append(url, '&', "redirect_uri", bytes_of_text(provider->options.redirect_uri));
    openid_form_append(url, '&', "state", bytes_of_text(sign_in->state));
    openid_form_append(url, '&', "nonce", bytes_of_text(sign_in->nonce));
    append_challenge(url, sign_in->verifier);
    openid_form_append(url, '&', "code_challenge_method", BYTES_LITERAL("S256"));
    return url->failed ? STATUS_NO_MEMORY : STATUS_OK;
}

// ---- and back ----

bool openid_provider_is_issuer(struct openid_provider *provider, struct bytes issuer) {
    pthread_mutex_lock(&provider->mutex);
    bool is_named = provider->document.names_issuer;
    pthread_mutex_unlock(&provider->mutex);
    return issuer.data ? bytes_is_text(issuer, provider->options.issuer) : !is_named;
}

// Name and secret of the client, as forms have them (RFC 6749, section 2.3.1), each with its NUL.
static bool write_client(const struct openid_provider *provider, struct buffer *name, struct buffer *secret) {
    struct buffer file = {0};
    char error[ERROR_MAX];
    bool is_read = whole_file_read(provider->options.secret_file, &file, SECRET_FILE_MAX, error,
                                   sizeof(error)) == STATUS_OK;
    struct bytes rest = buffer_get_bytes(&file);
    struct bytes line = bytes_trim(bytes_split(&rest, '\n'));
    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    openid_form_append_encoded(name, bytes_of_text(provider->options.client_id));
    buffer_append_byte(name, 0);
    openid_form_append_encoded(secret, line);
    buffer_append_byte(secret, 0);
    buffer_fini(&file);
    if (!is_read || line.len == 0)
        complain(provider, is_read ? "the first line of the client's secret file is empty" : error);
    return is_read && line.len > 0 && !name->failed && !secret->failed;
}

static void write_form(const struct openid_provider *provider, struct bytes code,
                       const struct openid_sign_in *sign_in, struct buffer *form) {
    openid_form_append(form, 0, "grant_type", BYTES_LITERAL("authorization_code"));
    openid_form_append(form, '&', "code", code);
    openid_form_append(form, '&', "redirect_uri", bytes_of_text(provider->options.redirect_uri));
    openid_form_append(form, '&', "code_verifier", bytes_of_text(sign_in->verifier));
}

// Its answer has the ID token. INVALID: it does not take the code, or us.
static enum status exchange(const struct openid_provider *provider, const char *url, struct bytes code,
                            const struct openid_sign_in *sign_in, const struct openid_stop *stop,
                            struct buffer *answer) {
    struct buffer name = {0}, secret = {0}, form = {0};
    char words[OPENID_WORDS_MAX];
    enum status status = STATUS_UNAVAILABLE;
    bool is_written = write_client(provider, &name, &secret);
    write_form(provider, code, sign_in, &form);
    const struct openid_request request = {.url = url,
                                           .ca_file = provider->options.ca_file,
                                           .user = (const char *)name.data,
                                           .password = (const char *)secret.data,
                                           .form = buffer_get_bytes(&form),
                                           .timeout_ms = provider->options.timeout_ms,
                                           .answer_max = provider->options.answer_max,
                                           .stop = *stop};
    if (is_written && !form.failed) {
        status = openid_fetch(&request, answer, words);
        if (status != STATUS_OK)
            complain(provider, words);
    }
    buffer_fini(&name);
    buffer_fini(&secret);
    buffer_fini(&form);
    return status;
}

static enum openid_verdict check(struct openid_provider *provider, struct bytes token, const char *nonce,
                                 struct openid_identity *ret_identity) {
    const struct openid_expectation expected = {
        .issuer = provider->options.issuer,
        .client_id = provider->options.client_id,
        .nonce = nonce,
        .now_ms = clock_get_realtime_ms(provider->options.clock),
        .skew_ms = provider->options.skew_ms,
    };
    return openid_token_check(token, provider->keys, &expected, ret_identity);
}

static enum openid_verdict check_by_keys(struct openid_provider *provider, struct bytes token,
                                         const char *nonce, const struct openid_stop *stop,
                                         struct openid_identity *ret_identity) {
    enum openid_verdict verdict = OPENID_KEY_UNKNOWN;
    pthread_mutex_lock(&provider->mutex);
    if (have(provider, &provider->of_keys, fetch_keys, stop))
        verdict = check(provider, token, nonce, ret_identity);
    if (verdict == OPENID_KEY_UNKNOWN && renew_keys(provider, stop))
        verdict = check(provider, token, nonce, ret_identity);
    pthread_mutex_unlock(&provider->mutex);
    return verdict;
}

static enum status judge(struct openid_provider *provider, struct bytes answer, const char *nonce,
                         const struct openid_stop *stop, struct openid_identity *ret_identity) {
    json_t *json = json_heap_load_object(answer);
    const char *token = openid_json_find_text(json, "id_token", OPENID_TOKEN_MAX);
    enum openid_verdict verdict =
        token ? check_by_keys(provider, bytes_of_text(token), nonce, stop, ret_identity) : OPENID_BROKEN;
    json_decref(json);
    if (verdict == OPENID_GOOD)
        return STATUS_OK;
    complain(provider, openid_verdict_get_text(verdict));
    return STATUS_PERMISSION_DENIED;
}

enum status openid_provider_redeem(struct openid_provider *provider, struct bytes code,
                                   const struct openid_sign_in *sign_in, const struct openid_stop *stop,
                                   struct openid_identity *ret_identity) {
    struct openid_document document;
    struct buffer answer = {0};
    if (!copy_document(provider, stop, &document))
        return STATUS_UNAVAILABLE;
    enum status status = exchange(provider, document.token_url, code, sign_in, stop, &answer);
    if (status == STATUS_OK)
        status = judge(provider, buffer_get_bytes(&answer), sign_in->nonce, stop, ret_identity);
    else
        status = status == STATUS_INVALID ? STATUS_PERMISSION_DENIED : STATUS_UNAVAILABLE;
    buffer_fini(&answer);
    return status;
}
