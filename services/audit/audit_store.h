// The audit log in the database. Every function is one round trip within the call's transaction, a list by
// time two. A failure of the database itself leaves the fault filled.
#ifndef LATCHKEY_SERVICES_AUDIT_AUDIT_STORE_H
#define LATCHKEY_SERVICES_AUDIT_AUDIT_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "common/app/call.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "services/audit/audit_record.h"

// Filters that are set must all hold.
struct audit_filter {
    int64_t since_ms;                // CLOCK_ALWAYS_MS = all
    int64_t until_ms;                // CLOCK_NEVER_MS = all
    struct uuid member_id, token_id; // zero = all
    struct bytes action, kind;       // empty = all
    struct bytes object_id;
};

// Rows of either function below; each record borrows from them, and they live until the transaction ends or
// its results are dropped.
struct audit_rows {
    const struct db_result *rows;
    int count;
};

// The events before the number `before` (0 = the newest), newest first, at most `limit`.
MUST_CHECK enum status audit_store_list(struct app_call *call, const struct audit_filter *filter,
                                        int64_t before, int32_t limit, struct audit_rows *ret_rows);

// The events from the number `from` to `to`, in their order, at most `limit`.
MUST_CHECK enum status audit_store_read(struct app_call *call, int64_t from, int64_t to, int32_t limit,
                                        struct audit_rows *ret_rows);

void audit_rows_get(const struct audit_rows *rows, int row, struct audit_record *ret_record);

// The head as it is kept, and the number of the last event that is there: read at one moment.
MUST_CHECK enum status audit_store_get_head(struct app_call *call, struct audit_head *ret_head,
                                            int64_t *ret_last_number);

#endif
