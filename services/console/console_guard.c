#include "services/console/console_guard.h"

#include "services/console/console_settings.h"

static bool is_there(const struct http_request *request, struct bytes name) {
    return metadata_find(request->fields.first, name) != NULL;
}

static bool is_only(const struct http_request *request, const char *name, struct bytes value) {
    return bytes_is_equal(http_request_find_only(request, name), value);
}

static bool is_from_our_pages(const struct http_request *request) {
    bool has_site = is_there(request, BYTES_LITERAL("sec-fetch-site"));
    bool has_origin = is_there(request, BYTES_LITERAL("origin"));
    if (has_site && !is_only(request, "sec-fetch-site", BYTES_LITERAL("same-origin")))
        return false;
    if (has_origin && !is_only(request, "origin", bytes_of_text(console_settings.url)))
        return false;
    return has_site || has_origin;
}

bool console_guard_admits_reading(const struct http_request *request, struct http_answer *answer) {
    if (bytes_is_equal_ignoring_case(http_request_find_only(request, "host"), console_settings_get_host()))
        return true;
    http_answer_refuse(request, answer, 421, "invalid_argument",
                       "this console is at another address, which --console-url names");
    return false;
}

bool console_guard_admits(const struct http_request *request, struct http_answer *answer) {
    if (!console_guard_admits_reading(request, answer))
        return false;
    if (is_from_our_pages(request) && http_request_has_type(request, "application/json"))
        return true;
    http_answer_refuse(request, answer, 403, "permission_denied",
                       "only the console's own pages may ask this, by JSON");
    return false;
}
