#include "common/openid/openid_fetch.h"

#include <curl/curl.h>
#include <stdio.h>

enum { HEAD_MAX = 65536, OK = 200 };

struct transfer {
    const struct openid_request *request;
    struct buffer *answer;
    size_t head_bytes;
};

// ---- callbacks of libcurl: another count than was given, or anything but 0, ends the transfer ----

static size_t on_head(char *data, size_t size, size_t count, void *context) {
    struct transfer *transfer = context;
    (void)data;
    transfer->head_bytes += size * count;
    return transfer->head_bytes <= HEAD_MAX ? size * count : 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *context) {
    struct transfer *transfer = context;
    buffer_append(transfer->answer, bytes_of(data, size * count));
    return transfer->answer->failed ? 0 : size * count;
}

static bool is_stopping(const struct openid_stop *stop) {
    return stop->is_stopping && stop->is_stopping(stop->context);
}

static int on_progress(void *context, curl_off_t to_get, curl_off_t got, curl_off_t to_put, curl_off_t put) {
    const struct transfer *transfer = context;
    (void)to_get, (void)got, (void)to_put, (void)put;
    return is_stopping(&transfer->request->stop);
}

// ---- the request ----

static bool set_target(CURL *curl, const struct openid_request *request) {
    bool is_set = curl_easy_setopt(curl, CURLOPT_URL, request->url) == CURLE_OK &&
                  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http") == CURLE_OK &&
                  curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
                  curl_easy_setopt(curl, CURLOPT_USERAGENT, "latchkey") == CURLE_OK;
    if (is_set && request->ca_file)
        is_set =
            curl_easy_setopt(curl, CURLOPT_CAINFO, request->ca_file) == CURLE_OK &&
            curl_easy_setopt(curl, CURLOPT_CAPATH, NULL) == CURLE_OK; // else the system's are trusted, too
    if (is_set && request->user)
        is_set = curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC) == CURLE_OK &&
                 curl_easy_setopt(curl, CURLOPT_USERNAME, request->user) == CURLE_OK &&
                 curl_easy_setopt(curl, CURLOPT_PASSWORD, request->password) == CURLE_OK;
    if (is_set && request->form.data)
        is_set =
            curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->form.len) == CURLE_OK &&
            curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)request->form.data) == CURLE_OK;
    return is_set;
}

static bool set_limits(CURL *curl, struct transfer *transfer) {
    const struct openid_request *request = transfer->request;
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, transfer);
    return curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms) == CURLE_OK;
}

// ---- what comes of it ----

static enum status judge(CURL *curl, CURLcode code, const struct buffer *answer,
                         char ret_words[OPENID_WORDS_MAX]) {
    long status = 0;
    if (answer->failed) {
        snprintf(ret_words, OPENID_WORDS_MAX, "its answer is too large");
        return STATUS_TOO_LARGE;
    }
    if (code != CURLE_OK) {
        snprintf(ret_words, OPENID_WORDS_MAX, "%s", curl_easy_strerror(code));
        return STATUS_UNAVAILABLE;
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status == OK)
        return STATUS_OK;
    snprintf(ret_words, OPENID_WORDS_MAX, "it answered with the status %ld", status);
    return STATUS_INVALID;
}

enum status openid_fetch_prepare(void) {
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status openid_fetch(const struct openid_request *request, struct buffer *answer,
                         char ret_words[OPENID_WORDS_MAX]) {
    struct transfer transfer = {.request = request, .answer = answer};
    CURL *curl = is_stopping(&request->stop) ? NULL : curl_easy_init();
    enum status status = STATUS_NO_MEMORY;
    answer->limit = request->answer_max;
    snprintf(ret_words, OPENID_WORDS_MAX, "we stop, or are out of memory");
    if (curl && set_target(curl, request) && set_limits(curl, &transfer))
        status = judge(curl, curl_easy_perform(curl), answer, ret_words);
    curl_easy_cleanup(curl);
    return status;
}
