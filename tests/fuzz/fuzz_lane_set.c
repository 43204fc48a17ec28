// Lanes as an operator types them: what is taken is told in a form that is taken as the same.
#include <assert.h>

#include "services/validator/image/lane_set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lane_set set, again;
    char text[LANE_SET_TEXT_MAX + 1];
    if (!lane_set_parse(bytes_of(data, size), &set))
        return 0;
    assert(lane_set_count(set) > 0);
    lane_set_format(set, text);
    bool is_taken = lane_set_parse(bytes_of_text(text), &again);
    assert(is_taken && again.companies == set.companies);
    (void)is_taken;
    return 0;
}
