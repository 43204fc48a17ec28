#include "common/app/dispatch.h"

#include <assert.h>
#include <stdlib.h>

// The rows and what their contexts point to, in one block.
struct table_block {
    struct dispatch_binding *bindings;
    struct grpc_method rows[];
};

// Its answer shows a secret, or its request does and the answer tells of it.
static bool has_secret(const struct app_method *method) {
    return protobuf_c_message_descriptor_get_field_by_name(method->request, "secret") ||
           protobuf_c_message_descriptor_get_field_by_name(method->response, "secret");
}

enum status dispatch_new_table(const struct dispatch *dispatch, const struct app_method *methods,
                               size_t count, app_screen *screen, struct router_table *ret_table) {
    struct table_block *block = calloc(1, sizeof(*block) + count * sizeof(block->rows[0]));
    struct dispatch_binding *bindings = calloc(count ? count : 1, sizeof(*bindings));
    if (!block || !bindings) {
        free(block);
        free(bindings);
        return STATUS_NO_MEMORY;
    }
    block->bindings = bindings;
    for (size_t i = 0; i < count; i++) {
        bool is_open = app_method_is_open(&methods[i]);
        assert(!is_open || screen);
        bindings[i] = (struct dispatch_binding){dispatch, &methods[i], is_open ? screen : NULL};
        block->rows[i] = (struct grpc_method){.path = methods[i].path,
                                              .request = methods[i].request,
                                              .response = methods[i].response,
                                              .shape = GRPC_UNARY,
                                              .is_read_only = methods[i].kind == APP_READ,
                                              .never_compress = has_secret(&methods[i]),
                                              .handler = &managed_call_handler,
                                              .context = &bindings[i]};
    }
    *ret_table = (struct router_table){block->rows, count};
    return STATUS_OK;
}

void dispatch_free_table(struct router_table *table) {
    if (!table->methods)
        return;
    struct table_block *block =
        (struct table_block *)((char *)table->methods - offsetof(struct table_block, rows));
    free(block->bindings);
    free(block);
    *table = (struct router_table){0};
}
