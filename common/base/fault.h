// What went wrong, told so that the caller can mend it: a status, a stable named reason, one safe sentence,
// and for bad input every bad field with a sentence that says what to type instead. The domain rules fill it,
// the transport turns it into google.rpc.Status with ErrorInfo, BadRequest and RetryInfo. Everything lives in
// the call's arena.
//
// A fault is either empty (status OK) or final: the first fault_set() wins, field violations add up. When the
// arena itself runs out the fault degrades to NO_MEMORY without text, fields or details; it never turns into
// success.
#ifndef LATCHKEY_COMMON_BASE_FAULT_H
#define LATCHKEY_COMMON_BASE_FAULT_H

#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

#define FAULT_FIELDS_MAX 100

struct fault_field {
    struct fault_field *next;
    const char *field;       // path in the request, e.g. "entries[3].address"
    const char *description; // one sentence
};

struct fault_detail {
    struct fault_detail *next;
    const char *key; // lowerCamelCase, as ErrorInfo.metadata
    const char *value;
};

struct fault {
    struct arena *arena; // borrows
    enum status status;
    const char *reason;  // UPPER_SNAKE_CASE, ErrorInfo.reason; static storage
    const char *message; // the sentence; NULL = status_get_text()
    struct fault_field *fields, *last_field;
    struct fault_detail *details, *last_detail;
    uint32_t field_count;
    uint32_t retry_after_ms; // 0 = no RetryInfo
};

void fault_init(struct fault *fault, struct arena *arena);

// Returns the fault's status, which is the first one's, so that a rule can end with `return fault_set(...)`.
// `status` is not OK. `reason` has static storage.
enum status fault_set(struct fault *fault, enum status status, const char *reason, const char *format, ...)
    PRINTF_LIKE(4, 5);

// The same for running out of memory: the caller may try again.
enum status fault_set_no_memory(struct fault *fault);

// Names one bad field: the fault becomes INVALID with reason "INVALID_ARGUMENT" unless it is already set.
// At most FAULT_FIELDS_MAX are kept, all are counted. `field` is copied; one with an index comes from
// fault_path().
void fault_add_field(struct fault *fault, const char *field, const char *format, ...) PRINTF_LIKE(3, 4);

// Puts `prefix` before the name of every field that is named so far: for rules that know a part of a request.
void fault_prefix_fields(struct fault *fault, const char *prefix);

// "entries[3].address" and the like, in the fault's arena; "" when out of memory.
const char *fault_path(struct fault *fault, const char *format, ...) PRINTF_LIKE(2, 3);

// Adds to ErrorInfo.metadata.
void fault_add_detail(struct fault *fault, const char *key, const char *format, ...) PRINTF_LIKE(3, 4);

void fault_set_retry_after_ms(struct fault *fault, uint32_t retry_after_ms);

#endif
