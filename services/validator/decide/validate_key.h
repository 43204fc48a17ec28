// A token on its way to being looked up: good until the end of the turn. With many of them, all are made
// before the first is advanced, and all are advanced before the first is decided: secrets are digested side
// by side, and each step asks the memory for what the next one reads.
#ifndef LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_KEY_H
#define LATCHKEY_SERVICES_VALIDATOR_DECIDE_VALIDATE_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/bytes.h"
#include "common/crypto/digest.h"
#include "services/validator/decide/validate_view.h"

struct validate_key {
    struct digest digest;
    unsigned lane;  // that it names
    bool has_shape; // it may be one at all; else nothing but the lane is set
    struct token_probe probe;
};

// Reader thread, online.
void validate_key_make(const struct validate_view *view, struct bytes token, struct validate_key *ret_key);

// The same of many: each is made together with the next one that is added, the last one at the end. Zeroed
// memory is empty; empty again after the end. Views, tokens and keys stay where they are until then.
struct validate_keys {
    const struct validate_view *view;
    struct bytes token;
    struct validate_key *waiting; // for another one; NULL = none
};

void validate_keys_add(struct validate_keys *keys, const struct validate_view *view, struct bytes token,
                       struct validate_key *ret_key);
void validate_keys_end(struct validate_keys *keys);

void validate_key_advance(const struct validate_view *view, struct validate_key *key);

#endif
