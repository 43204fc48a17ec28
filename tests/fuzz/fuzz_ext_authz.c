// Any bytes as Envoy's CheckRequest: what the general way takes ours takes, and reads the same in it, and
// what becomes of a client's headers in an admission and a denial is a whole message.
#include <assert.h>

#include "common/protobuf/message.h"
#include "envoy/service/auth/v3/external_auth.pb-c.h"
#include "services/validator/gateway/ext_authz_request.h"
#include "services/validator/gateway/ext_authz_response.h"
#include "services/validator/gateway/presented_token.h"
#include "services/validator/gateway/route_path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES_MAX = 64 * 1024 * 1024 };

typedef Envoy__Service__Auth__V3__AttributeContext AttributeContext;

static const char *get_source(const AttributeContext *attributes) {
    const Envoy__Config__Core__V3__Address *address = attributes->source ? attributes->source->address : NULL;
    bool is_socket =
        address && address->address_case == ENVOY__CONFIG__CORE__V3__ADDRESS__ADDRESS_SOCKET_ADDRESS;
    return is_socket ? address->socket_address->address : NULL;
}

// Of a message that stands there in several pieces an empty text is an earlier one's in the general way.
static bool is_same(struct bytes own, const char *general) {
    return own.len == 0 || bytes_is_text(own, general);
}

static void compare(const Envoy__Service__Auth__V3__CheckRequest *message,
                    const struct ext_authz_request *request) {
    const AttributeContext *attributes = message->attributes;
    if (!attributes)
        return;
    const char *source = get_source(attributes);
    if (source)
        assert(is_same(request->source_address, source));
    size_t count = 0;
    for (const struct ext_authz_extension *each = request->extensions; each; each = each->next)
        count++;
    assert(count == attributes->n_context_extensions);
    if (!attributes->request || !attributes->request->http)
        return;
    assert(is_same(request->method, attributes->request->http->method));
    assert(is_same(request->path, attributes->request->http->path));
    assert(is_same(request->host, attributes->request->http->host));
}

static void check_response(struct bytes written, bool is_admission, struct arena *arena) {
    ProtobufCMessage *message;
    const char *text;
    assert(written.data);
    enum status status = message_unpack(&envoy__service__auth__v3__check_response__descriptor, written, arena,
                                        &message, &text);
    if (status == STATUS_MALFORMED && is_admission)
        return; // a header's name is any bytes here; gateways send none but good ones
    assert(status == STATUS_OK);
    const Envoy__Service__Auth__V3__CheckResponse *response =
        (const Envoy__Service__Auth__V3__CheckResponse *)message;
    assert((response->status->code == 0) == is_admission);
}

static void answer(const struct ext_authz_request *request, struct arena *arena) {
    static const struct bearer_shape shape = {.brand = "lk", .accepts_foreign = true};
    struct ext_authz_admission admission = {.headers = &request->headers};
    struct route_path path;
    bool is_there;
    (void)presented_token_find(&request->headers, "session");
    (void)presented_token_is_in_authorization(&request->headers, &shape);
    assert(presented_token_cut_cookie(&request->headers, "session", arena, &is_there, &admission.cookie) ==
           STATUS_OK);
    admission.replaces_cookie = is_there;
    check_response(ext_authz_write_admission(&admission, 0, arena), true, arena);
    const struct ext_authz_denial denial = {
        .status = 403, .code = "permission_denied", .text = "no", .reason = "UNKNOWN"};
    check_response(ext_authz_write_denial(&denial, 0, arena), false, arena);
    (void)!route_path_parse(request->path, arena, &path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena arena;
    struct ext_authz_request request;
    ProtobufCMessage *message;
    const char *text;
    arena_init(&arena, ARENA_BYTES_MAX);
    enum status general = message_unpack(&envoy__service__auth__v3__check_request__descriptor,
                                         bytes_of(data, size), &arena, &message, &text);
    enum status own = ext_authz_request_read(bytes_of(data, size), &arena, &request);
    if (general == STATUS_OK) {
        assert(own == STATUS_OK);
        compare((const Envoy__Service__Auth__V3__CheckRequest *)message, &request);
    }
    if (own == STATUS_OK)
        answer(&request, &arena);
    arena_fini(&arena);
    return 0;
}
