#include "services/validator/decide/validate_key.h"

static void begin_probe(const struct validate_view *view, struct validate_key *key) {
    image_begin_probe(view->image, &key->digest, &key->probe);
}

void validate_key_make(const struct validate_view *view, struct bytes token, struct validate_key *ret_key) {
    ret_key->has_shape = bearer_has_shape(token, view->shape, &ret_key->lane);
    if (!ret_key->has_shape)
        return;
    digest_sha256(token, &ret_key->digest);
    begin_probe(view, ret_key);
}

void validate_keys_add(struct validate_keys *keys, const struct validate_view *view, struct bytes token,
                       struct validate_key *ret_key) {
    ret_key->has_shape = bearer_has_shape(token, view->shape, &ret_key->lane);
    if (!ret_key->has_shape)
        return;
    if (!keys->waiting) {
        *keys = (struct validate_keys){view, token, ret_key};
        return;
    }
    const struct bytes tokens[] = {keys->token, token};
    struct digest *const digests[] = {&keys->waiting->digest, &ret_key->digest};
    digest_sha256_pair(tokens, digests);
    begin_probe(keys->view, keys->waiting);
    begin_probe(view, ret_key);
    keys->waiting = NULL;
}

void validate_keys_end(struct validate_keys *keys) {
    if (!keys->waiting)
        return;
    digest_sha256(keys->token, &keys->waiting->digest);
    begin_probe(keys->view, keys->waiting);
    keys->waiting = NULL;
}

void validate_key_advance(const struct validate_view *view, struct validate_key *key) {
    if (key->has_shape)
        image_advance_probe(view->image, &key->probe);
}
