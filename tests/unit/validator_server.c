#include "tests/unit/validator_server.h"

#include "common/grpc/framing.h"
#include "latchkey/v1/validation.pb-c.h"
#include "tests/unit/unit.h"

static void open_uses(struct validator_server *server, unsigned capacity) {
    const struct use_log_options uses = {.loops = server->loops,
                                         .connection.url = "host=/nonexistent",
                                         .clock = clock_get_system(),
                                         .server = "test",
                                         .flush_interval_ms = INT32_MAX,
                                         .capacity = capacity};
    assert_int_equal(use_log_new(&uses, &server->uses), STATUS_OK);
    server->mine = (struct validate_loop){.uses = use_log_get_loop(server->uses, 0)};
}

static void open_transport(struct validator_server *server, const struct validator_server_options *options) {
    const struct router_table table = {options->methods, options->method_count};
    struct grpc_server_options grpc = {.tables = &table, .table_count = 1, .loops = server->loops};
    grpc_server_settings_init(&grpc.settings);
    if (options->request_memory_bytes > 0)
        grpc.settings.request_memory_bytes = options->request_memory_bytes;
    assert_int_equal(grpc_server_new(&grpc, &server->grpc), STATUS_OK);
}

void validator_server_open(struct validator_server *server, const struct validator_server_options *options) {
    assert_int_equal(loop_group_new(1, clock_get_system(), &server->loops), STATUS_OK);
    open_uses(server, options->use_capacity);
    const struct validate_waits_options waits = {.validator = &server->made.validator,
                                                 .reading = &server->mine.reading,
                                                 .max = options->waits_max > 0 ? options->waits_max : 1,
                                                 .wake_follower = options->wake_follower};
    validate_waits_init(&server->mine.waits, &waits);
    server->service = (struct validate_service){.validator = &server->made.validator,
                                                .shape = validator_image_shape,
                                                .min_revision_wait_ms = options->min_revision_wait_ms,
                                                .folds_reasons = options->folds_reasons,
                                                .loops = &server->mine};
    open_transport(server, options);
}

void validator_server_close(struct validator_server *server) {
    loop_group_stop(server->loops);
    use_log_free(server->uses);
    grpc_server_free(server->grpc);
    loop_group_free(server->loops);
    validate_waits_fini(&server->mine.waits);
}

size_t validator_server_write_question(uint8_t *to, const char *secret) {
    Latchkey__V1__ValidateRequest request = LATCHKEY__V1__VALIDATE_REQUEST__INIT;
    request.token = (char *)(uintptr_t)secret; // only read
    request.channel = LATCHKEY__V1__CHANNEL__CHANNEL_API;
    request.client_ip = (char *)"203.0.113.7";
    size_t room = VALIDATOR_SERVER_QUESTION_MAX - FRAMING_PREFIX_BYTES;
    assert_true(protobuf_c_message_get_packed_size(&request.base) <= room);
    size_t len = protobuf_c_message_pack(&request.base, to + FRAMING_PREFIX_BYTES);
    framing_write_prefix(to, (uint32_t)len);
    return FRAMING_PREFIX_BYTES + len;
}
