// Any bytes as a line of exported heads: what is taken reads as itself once it is written again.
#include <assert.h>
#include <string.h>

#include "common/app/audit_head_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct audit_head_line line, again;
    if (!audit_head_text_parse(bytes_of(data, size), &line))
        return 0;
    assert(line.number > 0);
    struct buffer text = {0};
    audit_head_text_append(&text, &line);
    assert(!text.failed && text.data[text.len - 1] == '\n');
    bool is_taken = audit_head_text_parse(bytes_of(text.data, text.len - 1), &again);
    assert(is_taken && again.number == line.number && again.at_ms == line.at_ms);
    assert(uuid_is_equal(again.company_id, line.company_id) && digest_is_equal(&again.hash, &line.hash));
    buffer_fini(&text);
    return 0;
}
