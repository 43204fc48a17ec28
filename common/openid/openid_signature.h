// The signature of an ID token (JWS, RFC 7515), by cjose: which algorithms are taken, which key it is, and
// what was signed.
#ifndef LATCHKEY_COMMON_OPENID_SIGNATURE_H
#define LATCHKEY_COMMON_OPENID_SIGNATURE_H

#include <jansson.h>

#include "common/openid/openid_token.h"

// GOOD: `*ret_claims` is what the signature covers, owned. Otherwise BROKEN, ALGORITHM_REFUSED, KEY_UNKNOWN
// or SIGNATURE_WRONG.
enum openid_verdict openid_signature_check(struct bytes token, const json_t *keys, json_t **ret_claims);

#endif
