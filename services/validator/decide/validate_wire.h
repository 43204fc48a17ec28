// The two messages of Validate on the wire, read and written without a message in between:
// latchkey.v1.ValidateRequest and ValidateResponse, and nothing else. It takes what the general way takes
// (scan.h, then protobuf-c), byte for byte, and writes what protobuf-c writes;
// tests/fuzz/fuzz_validate_wire.c and tests/unit/test_validate_wire.c compare the two.
//
// why: Validate is most of all calls there are, and half of what one cost, the transport aside, was to make
// these messages in the general way.
#ifndef LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_WIRE_H
#define LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_WIRE_H

#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "services/validator/decide/validate_decide.h"

// MALFORMED: no such message, NO_MEMORY: then of no meaning is what was read. Borrows from `message` and the
// arena. Of a list longer than VALIDATE_PERMISSIONS_MAX only the count is right.
MUST_CHECK enum status validate_wire_read(struct bytes message, struct arena *arena,
                                          struct validate_question *ret_question);

// In the arena, `headroom` bytes left free in front of the message, inside of what is returned. Data NULL
// when out of memory.
MUST_CHECK struct bytes validate_wire_write(const struct validate_answer *answer, size_t headroom,
                                            struct arena *arena);

// The same where there is room: at most so many bytes, and the end of what was written.
size_t validate_wire_measure(const struct validate_answer *answer);
uint8_t *validate_wire_put(const struct validate_answer *answer, uint8_t *to);

#endif
