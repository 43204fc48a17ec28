// Every function that adds something goes through copy(): the one place where running out of memory is turned
// into the fault itself.
#include "common/base/fault.h"

#include <assert.h>

enum { NO_MEMORY_RETRY_MS = 1000 };

static void degrade(struct fault *fault) {
    *fault = (struct fault){.arena = fault->arena,
                            .status = STATUS_NO_MEMORY,
                            .reason = "NO_MEMORY",
                            .retry_after_ms = NO_MEMORY_RETRY_MS};
}

// NULL when out of memory; the fault then says so.
PRINTF_LIKE(2, 0) static const char *copy(struct fault *fault, const char *format, va_list args) {
    const char *text = arena_format_args(fault->arena, format, args);
    if (!text)
        degrade(fault);
    return text;
}

void fault_init(struct fault *fault, struct arena *arena) {
    *fault = (struct fault){.arena = arena};
}

enum status fault_set(struct fault *fault, enum status status, const char *reason, const char *format, ...) {
    assert(status != STATUS_OK);
    if (fault->status != STATUS_OK)
        return fault->status;
    fault->status = status;
    fault->reason = reason;
    va_list args;
    va_start(args, format);
    const char *message = copy(fault, format, args);
    va_end(args);
    fault->message = message;
    return fault->status;
}

enum status fault_set_no_memory(struct fault *fault) {
    enum status status = fault_set(fault, STATUS_NO_MEMORY, "NO_MEMORY", "out of memory; try again later");
    if (status == STATUS_NO_MEMORY)
        fault->retry_after_ms = NO_MEMORY_RETRY_MS;
    return status;
}

static void append_field(struct fault *fault, const char *field, const char *description) {
    struct fault_field *added = ARENA_NEW(fault->arena, struct fault_field);
    const char *field_copy = arena_copy_text(fault->arena, field);
    if (!added || !field_copy) {
        degrade(fault);
        return;
    }
    added->field = field_copy;
    added->description = description;
    if (fault->last_field)
        fault->last_field->next = added;
    else
        fault->fields = added;
    fault->last_field = added;
}

void fault_add_field(struct fault *fault, const char *field, const char *format, ...) {
    if (fault->status == STATUS_OK) {
        fault->status = STATUS_INVALID;
        fault->reason = "INVALID_ARGUMENT";
    }
    if (fault->status == STATUS_NO_MEMORY || ++fault->field_count > FAULT_FIELDS_MAX)
        return;
    va_list args;
    va_start(args, format);
    const char *description = copy(fault, format, args);
    va_end(args);
    if (description)
        append_field(fault, field, description);
}

const char *fault_path(struct fault *fault, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const char *path = copy(fault, format, args);
    va_end(args);
    return path ? path : "";
}

void fault_prefix_fields(struct fault *fault, const char *prefix) {
    for (struct fault_field *field = fault->fields; field; field = field->next)
        field->field = fault_path(fault, "%s%s", prefix, field->field);
}

static void append_detail(struct fault *fault, const char *key, const char *value) {
    struct fault_detail *added = ARENA_NEW(fault->arena, struct fault_detail);
    const char *key_copy = arena_copy_text(fault->arena, key);
    if (!added || !key_copy) {
        degrade(fault);
        return;
    }
    added->key = key_copy;
    added->value = value;
    if (fault->last_detail)
        fault->last_detail->next = added;
    else
        fault->details = added;
    fault->last_detail = added;
}

void fault_add_detail(struct fault *fault, const char *key, const char *format, ...) {
    if (fault->status == STATUS_NO_MEMORY)
        return;
    va_list args;
    va_start(args, format);
    const char *value = copy(fault, format, args);
    va_end(args);
    if (value)
        append_detail(fault, key, value);
}

void fault_set_retry_after_ms(struct fault *fault, uint32_t retry_after_ms) {
    fault->retry_after_ms = retry_after_ms;
}
