// A revision: the position in the change log that a write produced or a decision has seen, as opaque text for
// callers. It names the lane, the number within it and the random mark of that change, so that a position of
// another history (a restored backup, a lost standby) is told from this one.
#ifndef LATCHKEY_COMMON_APP_REVISION_H
#define LATCHKEY_COMMON_APP_REVISION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"

// 64 lanes of companies and one for what belongs to the deployment.
#define LANE_COUNT 65
#define LANE_DEPLOYMENT 64

#define REVISION_TEXT_LENGTH 24

struct revision {
    uint8_t lane; // 0..64
    int64_t seq;  // 1 and up within its lane; 0 = nothing happened there yet
    int64_t mark; // random; any value
};

// 18 bytes (form, lane, seq, mark) as unpadded base64url.
void revision_format(struct revision revision, char ret_text[REVISION_TEXT_LENGTH + 1]);

// False for anything that revision_format() does not write.
MUST_CHECK bool revision_parse(struct bytes text, struct revision *ret_revision);

#endif
