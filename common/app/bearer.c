#include "common/app/bearer.h"

#include "common/crypto/secret.h"

struct bytes bearer_find_secret(const struct grpc_call *call) {
    struct bytes header = grpc_call_find_metadata(call, "authorization");
    if (header.len == 0)
        return grpc_call_find_metadata(call, "x-access-token");
    struct bytes scheme = bytes_split(&header, ' ');
    return bytes_is_equal_ignoring_case(scheme, BYTES_LITERAL("bearer")) ? bytes_trim(header) : BYTES_EMPTY;
}

enum status bearer_check(struct bytes secret, const char *brand, struct fault *fault,
                         struct digest *ret_digest) {
    enum secret_kind kind;
    if (secret.len == 0)
        return fault_set(fault, STATUS_UNAUTHENTICATED, "SECRET_MISSING",
                         "send the metadata \"authorization: Bearer SECRET\" or \"x-access-token: SECRET\"");
    if (!secret_check(secret, brand, &kind, NULL) || kind == SECRET_INVITATION)
        return fault_set(fault, STATUS_UNAUTHENTICATED, "MALFORMED",
                         "this is not the secret of a token: check that it was copied whole");
    digest_sha256(secret, ret_digest);
    return STATUS_OK;
}
