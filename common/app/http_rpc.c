// The request goes through as it is: what Connect means by it is known below (common/grpc).
#include "common/app/http_rpc.h"

#include <string.h>

#include "common/app/http_settings.h"

// Between this client and this server, or of a protocol that is not spoken here.
static bool is_hop_by_hop(struct bytes name) {
    static const char *const names[] = {"connection", "keep-alive",    "te",     "transfer-encoding",
                                        "upgrade",    "trailer",       "expect", "accept-encoding",
                                        "host",       "content-length"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (bytes_is_text(name, names[i]))
            return true;
    return bytes_has_prefix(name, BYTES_LITERAL("proxy-")) || bytes_has_prefix(name, BYTES_LITERAL("grpc-"));
}

static bool pass_fields(const struct http_request *request, struct local_request *call) {
    for (const struct metadata_field *field = request->fields.first; field; field = field->next)
        if (!is_hop_by_hop(field->name) &&
            metadata_add(&call->fields, request->arena, field->name, field->value) != STATUS_OK)
            return false;
    return true;
}

static bool ask_method(const struct http_request *request, struct local_request *call,
                       struct http_answer *answer) {
    call->is_get = strcmp(request->method, "GET") == 0;
    if (!call->is_get && !http_request_has_type(request, "application/json") &&
        !http_request_has_type(request, "application/proto")) {
        http_answer_refuse(request, answer, 415, "unknown",
                           "send content-type: application/json or application/proto");
        return false;
    }
    call->path = call->is_get ? request->target : request->path;
    call->body = request->body;
    return pass_fields(request, call);
}

void http_rpc_tell(const struct http_request *request, const struct local_response *response,
                   struct http_answer *answer) {
    answer->status = response->http_status;
    answer->body = response->body;
    for (const struct metadata_field *field = response->fields.first; field; field = field->next)
        (void)!metadata_add(&answer->fields, request->arena, field->name, field->value);
}

static bool ask_nothing(const struct http_request *request, struct local_request *call,
                        struct http_answer *answer) {
    (void)call;
    http_answer_refuse(request, answer, 404, "unimplemented",
                       "there is nothing here over HTTP/1.1; methods that do not stream are called by "
                       "POST /latchkey.v1.SERVICE/METHOD");
    return false;
}

static const struct http_route method_route = {
    .name = "rpc",
    .methods = "POST",
    .read_methods = "GET, POST",
    .refuses_foreign_origins = true,
    .ask = ask_method,
    .tell = http_rpc_tell,
};

static const struct http_route nothing_route = {.name = "none", .ask = ask_nothing};

const struct http_site http_rpc_site = {
    .metrics = HTTP_SITE_METRICS("http"),
    .setting = "--http-listen",
    .purpose = "HTTP/1.1",
    .listen = &http_settings.listen,
    .methods = &method_route,
    .rest = &nothing_route,
};
