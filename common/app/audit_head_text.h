// A head of the audit log as a line of text, as it is exported:
//
//   2026-11-24T04:30:00.123Z cmp_01h455vb4pex5vsknk084sn02q 1234 8c6f...64 hexadecimal digits
//
// when it was read, whose, the number of its last event, that event's hash.
#ifndef LATCHKEY_COMMON_APP_AUDIT_HEAD_TEXT_H
#define LATCHKEY_COMMON_APP_AUDIT_HEAD_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/uuid.h"
#include "common/crypto/digest.h"

struct audit_head_line {
    int64_t at_ms;
    struct uuid company_id;
    int64_t number;
    struct digest hash;
};

// With its newline.
void audit_head_text_append(struct buffer *to, const struct audit_head_line *line);

// Without its newline. False for anything else.
MUST_CHECK bool audit_head_text_parse(struct bytes text, struct audit_head_line *ret_line);

#endif
