// What an answer goes by: an image as it is now, and the time.
#ifndef LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_VIEW_H
#define LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "common/app/bearer.h"
#include "services/validator/image/image.h"

// Good until the thread goes offline (quiescence.h).
struct validate_view {
    const struct image *image;
    const struct positions *positions; // read before anything else of the image
    const struct bearer_shape *shape;
    int64_t now_ms;     // the validator's time, corrected
    bool folds_reasons; // MALFORMED to EXPIRED are UNKNOWN for who does not see detail
};

#endif
