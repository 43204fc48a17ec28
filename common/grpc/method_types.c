#include "common/grpc/method_types.h"

#include <stdlib.h>

#include "google/rpc/error_details.pb-c.h"

static const ProtobufCMessageDescriptor *const failures[] = {
    &google__rpc__error_info__descriptor,
    &google__rpc__bad_request__descriptor,
    &google__rpc__retry_info__descriptor,
};

enum status method_types_new(const struct router *router, struct protojson_types **ret_types) {
    size_t method_count = router_get_count(router), count = 0;
    const ProtobufCMessageDescriptor **roots =
        calloc(2 * method_count + ARRAY_LENGTH(failures), sizeof(const ProtobufCMessageDescriptor *));
    if (!roots)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < method_count; i++) {
        const struct grpc_method *method = router_get_method(router, i);
        roots[count++] = method->request;
        roots[count++] = method->response;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(failures); i++)
        roots[count++] = failures[i];
    enum status status = protojson_types_new(roots, count, ret_types);
    free(roots);
    return status;
}
