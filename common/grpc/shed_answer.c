#include "common/grpc/shed_answer.h"

#include <string.h>

#include "common/grpc/call_internal.h"
#include "common/grpc/status_details.h"

enum { FIELDS_MAX = 6 };

static const struct bytes names[CONTENT_TYPE_COUNT] = {
#define NAME_ROW(name, text, protocol, codec) [CONTENT_TYPE_##name] = BYTES_LITERAL(text),
    CONTENT_TYPE_TABLE(NAME_ROW)
#undef NAME_ROW
};

static bool is_refused_unseen(enum content_type type) {
    return names[type].len > 0 && content_type_get_protocol(type) == PROTOCOL_GRPC;
}

static enum status init_answer(struct header_fields *fields, enum content_type type,
                               const struct status_details *details, struct arena *arena) {
    if (!header_fields_init(fields, FIELDS_MAX, arena))
        return STATUS_NO_MEMORY;
    header_fields_add(fields, BYTES_LITERAL(":status"), BYTES_LITERAL("200"));
    header_fields_add(fields, BYTES_LITERAL("content-type"), names[type]);
    header_fields_add_number(fields, arena, BYTES_LITERAL("grpc-status"), details->code);
    header_fields_add(fields, BYTES_LITERAL("grpc-message"), details->message);
    if (details->details.len > 0)
        header_fields_add(fields, BYTES_LITERAL("grpc-status-details-bin"), details->details);
    header_fields_add_number(fields, arena, BYTES_LITERAL("grpc-retry-pushback-ms"), details->retry_after_ms);
    return STATUS_OK;
}

enum status shed_answers_init(struct shed_answers *answers, bool has_details) {
    struct fault fault;
    struct status_details details;
    enum status status = STATUS_OK;
    arena_init(&answers->arena, CALL_ARENA_BYTES_MAX);
    fault_init(&fault, &answers->arena);
    call_set_overloaded(&fault, CALL_LOOP_BEHIND_TEXT);
    status_details_encode(&fault, &answers->arena, &details);
    if (!has_details)
        status_details_strip(&details);
    for (enum content_type type = 0; type < CONTENT_TYPE_COUNT && status == STATUS_OK; type++)
        if (is_refused_unseen(type))
            status = init_answer(&answers->of[type], type, &details, &answers->arena);
    return status;
}

void shed_answers_fini(struct shed_answers *answers) {
    arena_fini(&answers->arena);
}
