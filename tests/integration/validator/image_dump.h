// All that an image would decide by, as text in one order: two images are the same when their texts are.
#ifndef LATCHKEY_TESTS_INTEGRATION_VALIDATOR_IMAGE_DUMP_H
#define LATCHKEY_TESTS_INTEGRATION_VALIDATOR_IMAGE_DUMP_H

#include "common/ip/address.h"
#include "services/validator/image/image.h"

// While nobody writes. Address lists are told by which of `probes` they contain, and when. Free with free().
char *image_dump(const struct image *image, const struct ip_address *probes, size_t probe_count,
                 int64_t now_ms);

#endif
