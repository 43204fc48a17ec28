// Any bytes as a TypeID: what is read is written back as the very same bytes, and the two parsers agree.
#include <assert.h>

#include "common/base/typeid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes text = bytes_of(data, size), prefix;
    struct uuid uuid, same;
    char written[TYPEID_TEXT_MAX + 1], prefix_text[TYPEID_PREFIX_MAX + 1];
    if (!typeid_parse_any(text, &prefix, &uuid)) {
        assert(!typeid_parse(text, TYPEID_TOKEN, &same));
        return 0;
    }
    typeid_format(prefix, uuid, written);
    assert(bytes_is_text(text, written));

    if (prefix.len > 0)
        memcpy(prefix_text, prefix.data, prefix.len);
    prefix_text[prefix.len] = '\0';
    bool is_read = typeid_parse(text, prefix_text, &same);
    assert(is_read == (prefix.len > 0));
    assert(!is_read || uuid_is_equal(uuid, same));
    return 0;
}
