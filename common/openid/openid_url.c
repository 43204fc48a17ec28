#include "common/openid/openid_url.h"

#include <curl/curl.h>

#include "common/ip/loopback.h"

static bool has_part(CURLU *url, CURLUPart part) {
    char *text = NULL;
    CURLUcode code = curl_url_get(url, part, &text, 0);
    curl_free(text);
    return code == CURLUE_OK;
}

static bool is_encrypted_or_local(CURLU *url) {
    char *scheme = NULL, *host = NULL;
    bool is_whole = curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                    curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK && *host;
    bool is_safe = is_whole && (strcmp(scheme, "https") == 0 ||
                                (strcmp(scheme, "http") == 0 && loopback_is_host(bytes_of_text(host))));
    curl_free(scheme);
    curl_free(host);
    return is_safe;
}

static bool is_printable(const char *url) {
    size_t len = strnlen(url, OPENID_URL_MAX + 1);
    for (size_t i = 0; i < len; i++)
        if (url[i] <= ' ' || url[i] > '~' || strchr("\\\"<>", url[i]))
            return false;
    return len > 0 && len <= OPENID_URL_MAX;
}

static bool is_safe(const char *text, bool may_have_query) {
    CURLU *url = is_printable(text) ? curl_url() : NULL;
    bool is_safe = url && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
                   is_encrypted_or_local(url) && !has_part(url, CURLUPART_USER) &&
                   !has_part(url, CURLUPART_PASSWORD) && !strchr(text, '#') &&
                   (may_have_query || !strchr(text, '?'));
    curl_url_cleanup(url);
    return is_safe;
}

bool openid_url_is_safe(const char *url) {
    return is_safe(url, true);
}

bool openid_url_is_issuer(const char *url) {
    return is_safe(url, false);
}

struct bytes openid_url_get_host(const char *url) {
    const char *slashes = strstr(url, "//");
    struct bytes rest = bytes_of_text(slashes ? slashes + 2 : url);
    return bytes_split(&rest, '/');
}
