#include "common/grpc/shed_answer.h"

#include <string.h>

#include "common/grpc/header_fields.h"
#include "common/grpc/shed_gate.h"
#include "common/grpc/status_details.h"

enum { HEAD_BYTES = 9, FIELDS_MAX = 8, ARENA_BYTES_MAX = 64 * 1024 };

static const struct bytes names[CONTENT_TYPE_COUNT] = {
#define NAME_ROW(name, text, protocol, codec) [CONTENT_TYPE_##name] = BYTES_LITERAL(text),
    CONTENT_TYPE_TABLE(NAME_ROW)
#undef NAME_ROW
};

// Never indexed: the connection's own deflater knows nothing of this block.
static ssize_t deflate(struct header_fields *fields, uint8_t *to, size_t room) {
    nghttp2_hd_deflater *deflater;
    if (nghttp2_hd_deflate_new(&deflater, NGHTTP2_DEFAULT_HEADER_TABLE_SIZE) != 0)
        return NGHTTP2_ERR_NOMEM;
    for (size_t i = 0; i < fields->count; i++)
        fields->rows[i].flags |= NGHTTP2_NV_FLAG_NO_INDEX;
    ssize_t len = nghttp2_hd_deflate_hd(deflater, to, room, fields->rows, fields->count);
    nghttp2_hd_deflate_del(deflater);
    return len;
}

static enum status init_answer(struct shed_answer *answer, enum content_type type,
                               const struct status_details *details, struct arena *arena) {
    struct header_fields fields;
    if (!header_fields_init(&fields, FIELDS_MAX, arena))
        return STATUS_NO_MEMORY;
    header_fields_add(&fields, BYTES_LITERAL(":status"), BYTES_LITERAL("200"));
    header_fields_add(&fields, BYTES_LITERAL("content-type"), names[type]);
    header_fields_add_number(&fields, arena, BYTES_LITERAL("grpc-status"), details->code);
    header_fields_add(&fields, BYTES_LITERAL("grpc-message"), details->message);
    if (details->details.len > 0)
        header_fields_add(&fields, BYTES_LITERAL("grpc-status-details-bin"), details->details);
    header_fields_add_number(&fields, arena, BYTES_LITERAL("grpc-retry-pushback-ms"),
                             details->retry_after_ms);
    ssize_t len = deflate(&fields, answer->bytes + HEAD_BYTES, SHED_ANSWER_BYTES_MAX - HEAD_BYTES);
    if (len < 0)
        return len == NGHTTP2_ERR_NOMEM ? STATUS_NO_MEMORY : STATUS_EXHAUSTED;
    const uint8_t head[] = {0, (uint8_t)(len >> 8), (uint8_t)len, NGHTTP2_HEADERS,
                            NGHTTP2_FLAG_END_STREAM | NGHTTP2_FLAG_END_HEADERS};
    memcpy(answer->bytes, head, sizeof(head));
    answer->len = HEAD_BYTES + (size_t)len;
    return STATUS_OK;
}

enum status shed_answers_init(struct shed_answers *answers, const struct fault *fault, bool has_details) {
    struct arena arena;
    struct status_details details;
    enum status status = STATUS_OK;
    memset(answers, 0, sizeof(*answers));
    arena_init(&arena, ARENA_BYTES_MAX);
    status_details_encode(fault, &arena, &details);
    if (!has_details)
        status_details_strip(&details);
    for (enum content_type type = 0; type < CONTENT_TYPE_COUNT && status == STATUS_OK; type++)
        if (names[type].len > 0 && content_type_get_protocol(type) == PROTOCOL_GRPC)
            status = init_answer(&answers->of[type], type, &details, &arena);
    arena_fini(&arena);
    return status;
}

size_t shed_answer_write(const struct shed_answer *answer, int32_t stream, uint8_t *to) {
    memcpy(to, answer->bytes, answer->len);
    shed_gate_set_stream(to, stream);
    return answer->len;
}
