#include "common/app/caller_claim.h"

struct bytes caller_claim_find(const struct grpc_call *call) {
    const struct bytes name = BYTES_LITERAL(CALLER_CLAIM_FIELD), nobody = BYTES_LITERAL("");
    const struct metadata_field *field = metadata_find(grpc_call_get_metadata(call)->first, name);
    if (!field)
        return BYTES_EMPTY;
    return field->value.len == 0 || metadata_find(field->next, name) ? nobody : field->value;
}

enum status caller_claim_check(struct bytes claim, const char *caller_id, struct fault *fault) {
    if (!claim.data || bytes_is_text(claim, caller_id))
        return STATUS_OK;
    return fault_set(fault, STATUS_PERMISSION_DENIED, "CALLER_MISMATCH",
                     "the token that was presented is not of the caller that " CALLER_CLAIM_FIELD
                     " names: somebody else has signed in since");
}
