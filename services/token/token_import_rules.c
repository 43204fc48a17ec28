#include "services/token/token_import_rules.h"

#include <string.h>

#include "common/base/clock.h"

static int64_t check_past(bool is_set, int64_t at_ms, int64_t unset_ms, int64_t now_ms, const char *field,
                          struct fault *fault) {
    if (is_set && at_ms > now_ms)
        fault_add_field(fault, field, "type a time that has passed, or none");
    return is_set ? at_ms : unset_ms;
}

enum status token_check_history(const struct token_history_wish *wish, int64_t now_ms, struct fault *fault,
                                struct token_history *ret_history) {
    struct token_history history = {.hint = wish->hint};
    if (wish->secret_sha256.len == DIGEST_LENGTH)
        memcpy(history.digest.bytes, wish->secret_sha256.data, DIGEST_LENGTH);
    else
        fault_add_field(fault, "secret_sha256", "send the SHA-256 of the secret, %d bytes, not %zu",
                        DIGEST_LENGTH, wish->secret_sha256.len);
    token_check_text(wish->hint, TOKEN_IMPORT_HINT_MAX, "hint", fault);
    history.created_at_ms =
        check_past(wish->has_created_at, wish->created_at_ms, now_ms, now_ms, "created_at", fault);
    history.last_used_at_ms = check_past(wish->has_last_used_at, wish->last_used_at_ms, CLOCK_ALWAYS_MS,
                                         now_ms, "last_used_at", fault);
    if (fault->status == STATUS_OK)
        *ret_history = history;
    return fault->status;
}

enum status token_refuse_secret(struct fault *fault) {
    return fault_set(fault, STATUS_ALREADY_EXISTS, "SECRET_IN_USE", "another token has this secret");
}

enum status token_refuse_external_id(struct bytes external_id, struct fault *fault) {
    return fault_set(fault, STATUS_ALREADY_EXISTS, "EXTERNAL_ID_IN_USE",
                     "another token has the external_id %.*s", BYTES_FORMAT(external_id));
}

// why each with each: a call holds a thousand at most, which is half a million comparisons of a word.
void token_check_twins(struct token_import *imports, size_t count) {
    for (size_t i = 1; i < count; i++) {
        struct token_import *later = &imports[i];
        struct bytes external_id = later->draft.external_id;
        for (size_t j = 0; j < i && later->fault.status == STATUS_OK; j++) {
            const struct token_import *earlier = &imports[j];
            if (earlier->fault.status != STATUS_OK)
                continue;
            if (digest_is_equal(&earlier->history.digest, &later->history.digest))
                token_refuse_secret(&later->fault);
            else if (external_id.len > 0 && bytes_is_equal(earlier->draft.external_id, external_id))
                token_refuse_external_id(external_id, &later->fault);
        }
    }
}
