#include "common/app/bearer.h"

#include "common/app/revision.h"
#include "common/crypto/secret.h"

struct bytes bearer_find_secret(const struct grpc_call *call) {
    struct bytes header = grpc_call_find_metadata(call, "authorization");
    if (header.len == 0)
        return grpc_call_find_metadata(call, "x-access-token");
    struct bytes scheme = bytes_split(&header, ' ');
    return bytes_is_equal_ignoring_case(scheme, BYTES_LITERAL("bearer")) ? bytes_trim(header) : BYTES_EMPTY;
}

static bool begins_like_ours(struct bytes secret, const char *brand) {
    if (secret.len < SECRET_BRAND_LENGTH + 2 || !bytes_has_prefix(secret, bytes_of_text(brand)))
        return false;
    uint8_t kind = secret.data[SECRET_BRAND_LENGTH];
    return (kind == SECRET_ACCESS || kind == SECRET_LOGIN || kind == SECRET_INVITATION) &&
           secret.data[SECRET_BRAND_LENGTH + 1] == '_';
}

bool bearer_has_shape(struct bytes secret, const struct bearer_shape *shape, unsigned *ret_lane) {
    enum secret_kind kind;
    if (secret_check(secret, shape->brand, &kind, ret_lane))
        return kind != SECRET_INVITATION;
    *ret_lane = LANE_DEPLOYMENT;
    return shape->accepts_foreign && secret.len > 0 && secret.len <= BEARER_FOREIGN_MAX &&
           !begins_like_ours(secret, shape->brand);
}

enum status bearer_check(struct bytes secret, const struct bearer_shape *shape, struct fault *fault,
                         struct digest *ret_digest, unsigned *ret_lane) {
    if (secret.len == 0)
        return fault_set(fault, STATUS_UNAUTHENTICATED, "SECRET_MISSING",
                         "send the metadata \"authorization: Bearer SECRET\" or \"x-access-token: SECRET\"");
    if (!bearer_has_shape(secret, shape, ret_lane))
        return fault_set(fault, STATUS_UNAUTHENTICATED, "MALFORMED",
                         "this is not the secret of a token: check that it was copied whole");
    digest_sha256(secret, ret_digest);
    return STATUS_OK;
}
