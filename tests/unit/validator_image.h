// An image of a validator for unit tests, made by hand: a few companies, members and tokens, and where in the
// change log that is.
#ifndef LATCHKEY_TESTS_UNIT_VALIDATOR_IMAGE_H
#define LATCHKEY_TESTS_UNIT_VALIDATOR_IMAGE_H

#include "common/access/decision.h"
#include "common/app/bearer.h"
#include "common/crypto/secret.h"
#include "services/validator/image/image.h"
#include "services/validator/image/validator.h"

#define VALIDATOR_IMAGE_BRAND "lk"
extern const struct bearer_shape validator_image_shape;

// The change that every lane has applied at first.
#define VALIDATOR_IMAGE_SEQ 5
#define VALIDATOR_IMAGE_MARK 77

struct validator_image {
    struct reclaim reclaim;
    struct image *image;
    struct validator validator; // serves; its lease lasts for 100 years of boottime
    uint64_t round;
    int64_t heads[LANE_COUNT];
};

// The catalogue is `names`; those from `operator_only` on are the operator's alone.
void validator_image_init(struct validator_image *made, const char *const *names, size_t count,
                          size_t operator_only);
void validator_image_init_serving(struct validator_image *made, struct lane_set served,
                                  const char *const *names, size_t count, size_t operator_only);
void validator_image_fini(struct validator_image *made);

// A company with that number, its whitelist off.
struct uuid validator_image_add_company(struct validator_image *made, uint8_t number);

// A token good for the API that never ends, owned by its company, with the grants; change what differs, then
// put it.
struct token_row validator_image_make_row(uint8_t number, struct uuid company_id, const struct bytes *grants,
                                          size_t grant_count);

// Puts the row under a new secret. What image functions answer is asserted.
struct secret validator_image_put(struct validator_image *made, struct token_row row);

// Everything up to `seq` in `lane` is applied, and `head` was read there, in the next round.
void validator_image_publish(struct validator_image *made, uint8_t lane, int64_t seq, int64_t mark,
                             int64_t head);

// The lane of a company made with that number.
uint8_t validator_image_get_lane(struct uuid company_id);

#endif
