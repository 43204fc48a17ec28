#include "common/db/shared_snapshot.h"

#include <ctype.h>
#include <string.h>

enum { SHARE, SEEN };

// why the server's start: behind several hosts, or a pooler, the next connection may be another server's, and
// names of snapshots are as good as numbered.
#define CONTENT "pg_postmaster_start_time()::text || ' ' || pg_current_snapshot()::text"

static const struct db_statement statements[] = {
    [SHARE] = {"snapshot_share", "SELECT pg_export_snapshot(), " CONTENT},
    [SEEN] = {"snapshot_seen", "SELECT " CONTENT},
};

// It goes into a statement, which takes no parameter.
static bool is_name(struct bytes text) {
    for (size_t i = 0; i < text.len; i++)
        if (!isalnum(text.data[i]) && text.data[i] != '-')
            return false;
    return text.len > 0 && text.len <= DB_SNAPSHOT_NAME_MAX;
}

static void copy(char *to, struct bytes text) {
    memcpy(to, text.data, text.len);
    to[text.len] = '\0';
}

enum status db_share_snapshot(struct db_transaction *transaction, struct db_shared_snapshot *ret_snapshot) {
    const struct db_result *result;
    enum status status = db_query(transaction, &statements[SHARE], NULL, &result);
    if (status != STATUS_OK)
        return status;
    struct bytes name = db_result_get_text(result, 0, 0), content = db_result_get_text(result, 0, 1);
    if (!is_name(name))
        return STATUS_MALFORMED;
    if (content.len > DB_SNAPSHOT_CONTENT_MAX)
        return STATUS_TOO_LARGE;
    copy(ret_snapshot->name, name);
    copy(ret_snapshot->content, content);
    return STATUS_OK;
}

bool db_sees_snapshot(struct db_transaction *transaction, const struct db_shared_snapshot *snapshot) {
    const struct db_result *result;
    return db_query(transaction, &statements[SEEN], NULL, &result) == STATUS_OK &&
           bytes_is_text(db_result_get_text(result, 0, 0), snapshot->content);
}
