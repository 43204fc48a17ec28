// Any bytes as a revision: what is read is written back as the very same text.
#include <assert.h>

#include "common/app/revision.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes text = bytes_of(data, size);
    struct revision revision;
    char written[REVISION_TEXT_LENGTH + 1];
    if (!revision_parse(text, &revision))
        return 0;
    assert(revision.lane < LANE_COUNT && revision.seq >= 0);
    revision_format(revision, written);
    assert(bytes_is_text(text, written));
    return 0;
}
