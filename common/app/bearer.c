#include "common/app/bearer.h"

#include "common/app/revision.h"
#include "common/crypto/secret.h"

// Whoever stands in between may have acted by another one of them.
static bool is_repeated(const struct metadata_field *field) {
    return metadata_find(field->next, field->name) != NULL;
}

struct bytes bearer_find_secret(const struct grpc_call *call) {
    return bearer_find_secret_in(grpc_call_get_metadata(call));
}

struct bytes bearer_find_secret_in(const struct metadata *fields) {
    const struct metadata_field *field = metadata_find(fields->first, BYTES_LITERAL("x-access-token"));
    if (field)
        return is_repeated(field) ? BYTES_EMPTY : field->value;
    field = metadata_find(fields->first, BYTES_LITERAL("authorization"));
    if (!field || is_repeated(field))
        return BYTES_EMPTY;
    struct bytes secret = field->value;
    struct bytes scheme = bytes_split(&secret, ' ');
    return bytes_is_equal_ignoring_case(scheme, BYTES_LITERAL("bearer")) ? bytes_trim(secret) : BYTES_EMPTY;
}

enum status bearer_find_company(const struct grpc_call *call, struct fault *fault,
                                struct bytes *ret_company) {
    const struct metadata_field *field =
        metadata_find(grpc_call_get_metadata(call)->first, BYTES_LITERAL("latchkey-company"));
    if (field && (field->value.len == 0 || is_repeated(field)))
        return fault_set(fault, STATUS_INVALID, "INVALID_ARGUMENT",
                         "the metadata latchkey-company is there and names no company, or more than one; "
                         "send one id such as cmp_01j..., or leave it out");
    *ret_company = field ? field->value : BYTES_EMPTY;
    return STATUS_OK;
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
        return fault_set(
            fault, STATUS_UNAUTHENTICATED, "SECRET_MISSING",
            "send the metadata \"authorization: Bearer SECRET\" or \"x-access-token: SECRET\", once");
    if (!bearer_has_shape(secret, shape, ret_lane))
        return fault_set(fault, STATUS_UNAUTHENTICATED, "MALFORMED",
                         "this is not the secret of a token: check that it was copied whole");
    digest_sha256(secret, ret_digest);
    return STATUS_OK;
}
