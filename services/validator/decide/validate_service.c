#include "services/validator/decide/validate_service.h"

#include "common/protobuf/scan.h"

// A wait ends this part of what is left before the call's own deadline.
enum { DEADLINE_MARGIN_PART = 8 };

void validate_loop_enter(struct validate_loop *mine, struct loop *loop) {
    reading_enter_loop(&mine->reading, loop);
    validate_waits_enter_loop(&mine->waits, loop);
    backlog_enter_loop(&mine->backlog, loop);
    arena_init(&mine->scratch, 0);
    validate_notes_enter_loop(&mine->notes);
}

void validate_loop_leave(struct validate_loop *mine) {
    validate_waits_leave_loop(&mine->waits);
    backlog_leave_loop(&mine->backlog); // what waited goes on
    arena_fini(&mine->scratch);
    validate_notes_leave_loop(&mine->notes);
    reading_leave_loop(&mine->reading);
}

uint64_t validate_service_get_wait_end_ns(const struct validate_service *service,
                                          const struct grpc_call *transport) {
    uint64_t now_ns = loop_get_monotonic_ns(grpc_call_get_loop(transport));
    uint64_t due_ns = now_ns + (uint64_t)service->min_revision_wait_ms * 1000000;
    uint64_t deadline_ns = grpc_call_get_deadline_ns(transport);
    if (deadline_ns == UINT64_MAX || deadline_ns <= now_ns)
        return due_ns;
    uint64_t last_ns = deadline_ns - (deadline_ns - now_ns) / DEADLINE_MARGIN_PART;
    return due_ns < last_ns ? due_ns : last_ns;
}

enum status validate_fail_malformed(const struct grpc_call *transport, struct bytes message,
                                    struct fault *fault) {
    const ProtobufCMessageDescriptor *descriptor = grpc_call_get_method(transport)->request;
    return fault_set(fault, STATUS_MALFORMED, "MESSAGE_MALFORMED", "%s",
                     scan_result_get_text(scan_message(descriptor, message)));
}
