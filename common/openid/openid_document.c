#include "common/openid/openid_document.h"

#include "common/openid/openid_json.h"
#include "common/protobuf/json_heap.h"

static bool read_url(const json_t *json, const char *name, char ret_url[OPENID_URL_MAX + 1]) {
    const char *url = openid_json_find_text(json, name, OPENID_URL_MAX);
    if (!url || !openid_url_is_safe(url))
        return false;
    memcpy(ret_url, url, strlen(url) + 1);
    return true;
}

static const char *read_json(const json_t *json, const char *issuer, struct openid_document *document) {
    const char *name = openid_json_find_text(json, "issuer", OPENID_URL_MAX);
    if (!json)
        return "its discovery document is no JSON";
    if (!name || strcmp(name, issuer) != 0)
        return "its discovery document names another issuer than --console-openid-issuer";
    if (!read_url(json, "authorization_endpoint", document->authorization_url) ||
        !read_url(json, "token_endpoint", document->token_url) ||
        !read_url(json, "jwks_uri", document->keys_url))
        return "its discovery document lacks an endpoint, or has one without https";
    document->names_issuer =
        json_is_true(json_object_get(json, "authorization_response_iss_parameter_supported"));
    return NULL;
}

const char *openid_document_read(struct bytes text, const char *issuer,
                                 struct openid_document *ret_document) {
    struct openid_document document = {0};
    json_t *json = json_heap_load_object(text);
    const char *lack = read_json(json, issuer, &document);
    json_decref(json);
    if (!lack)
        *ret_document = document;
    return lack;
}
