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

static void make_two(struct validate_keys *keys, const struct validate_view *view) {
    struct digest *const digests[] = {&keys->keys[0]->digest, &keys->keys[1]->digest};
    digest_sha256_pair(keys->tokens, digests);
    begin_probe(view, keys->keys[0]);
    begin_probe(view, keys->keys[1]);
    keys->count = 0;
}

void validate_keys_add(struct validate_keys *keys, const struct validate_view *view, struct bytes token,
                       struct validate_key *ret_key) {
    ret_key->has_shape = bearer_has_shape(token, view->shape, &ret_key->lane);
    if (!ret_key->has_shape)
        return;
    keys->tokens[keys->count] = token;
    keys->keys[keys->count] = ret_key;
    if (++keys->count == 2)
        make_two(keys, view);
}

void validate_keys_end(struct validate_keys *keys, const struct validate_view *view) {
    if (keys->count == 0)
        return;
    digest_sha256(keys->tokens[0], &keys->keys[0]->digest);
    begin_probe(view, keys->keys[0]);
    keys->count = 0;
}

void validate_key_advance(const struct validate_view *view, struct validate_key *key) {
    if (key->has_shape)
        image_advance_probe(view->image, &key->probe);
}
