#include "common/app/http_origin.h"

#include <string.h>

#define FORM "type origins such as https://console.example.com,http://localhost:3000, or * for all pages"

static struct bytes find_origin(const struct http_request *request) {
    const struct metadata_field *field = metadata_find(request->fields.first, BYTES_LITERAL("origin"));
    return field ? field->value : BYTES_EMPTY;
}

// SCHEME://HOST[:PORT] in lower case, as browsers write it.
static bool is_origin(struct bytes text) {
    struct bytes host = text;
    struct bytes scheme = bytes_split(&host, ':');
    if ((!bytes_is_text(scheme, "https") && !bytes_is_text(scheme, "http")) ||
        !bytes_has_prefix(host, BYTES_LITERAL("//")) || host.len == 2)
        return false;
    for (size_t i = 2; i < host.len; i++)
        if (host.data[i] <= ' ' || host.data[i] >= 0x7f || strchr("/?#@*\\", host.data[i]) ||
            (host.data[i] >= 'A' && host.data[i] <= 'Z'))
            return false;
    return true;
}

bool http_origin_accept(const char *list, const char **ret_reason) {
    struct bytes rest = bytes_of_text(list);
    *ret_reason = FORM;
    if (rest.len == 0 || bytes_is_text(rest, "*"))
        return true;
    while (rest.data)
        if (!is_origin(bytes_trim(bytes_split(&rest, ','))))
            return false;
    return true;
}

static bool is_every_page(const char *list) {
    return strcmp(list, "*") == 0;
}

static bool is_listed(const char *list, struct bytes origin) {
    struct bytes rest = bytes_of_text(list);
    while (rest.data)
        if (bytes_is_equal(bytes_trim(bytes_split(&rest, ',')), origin))
            return origin.len > 0;
    return false;
}

// Browsers leave the origin out of a GET for a picture or a link, and say this.
static bool is_of_other_site(const struct http_request *request) {
    const struct metadata_field *field =
        metadata_find(request->fields.first, BYTES_LITERAL("sec-fetch-site"));
    return field && !bytes_is_text(field->value, "none") && !bytes_is_text(field->value, "same-origin");
}

bool http_origin_is_allowed(const char *list, const struct http_request *request) {
    if (is_every_page(list))
        return true;
    if (!metadata_find(request->fields.first, BYTES_LITERAL("origin")))
        return !is_of_other_site(request);
    return is_listed(list, http_request_find_only(request, "origin"));
}

bool http_origin_is_preflight(const struct http_request *request) {
    return strcmp(request->method, "OPTIONS") == 0 && find_origin(request).len > 0 &&
           metadata_find(request->fields.first, BYTES_LITERAL("access-control-request-method"));
}

void http_origin_answer_preflight(const struct http_request *request, const char *methods,
                                  struct http_answer *answer) {
    answer->status = 204;
    http_answer_add(request, answer, "access-control-allow-methods", bytes_of_text(methods));
    http_answer_add(request, answer, "access-control-allow-headers",
                    BYTES_LITERAL("authorization, x-access-token, latchkey-company, content-type, "
                                  "connect-protocol-version, connect-timeout-ms"));
    http_answer_add(request, answer, "access-control-max-age", BYTES_LITERAL("7200"));
}

void http_origin_add(const char *list, const struct http_request *request, struct http_answer *answer) {
    struct bytes origin = find_origin(request);
    if (origin.len == 0)
        return;
    http_answer_add(request, answer, "vary", BYTES_LITERAL("origin"));
    if (!http_origin_is_allowed(list, request))
        return;
    http_answer_add(request, answer, "access-control-allow-origin",
                    is_every_page(list) ? BYTES_LITERAL("*") : origin);
    http_answer_add(request, answer, "access-control-expose-headers",
                    BYTES_LITERAL("www-authenticate, retry-after"));
}
