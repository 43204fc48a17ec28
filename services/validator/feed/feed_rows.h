// Rows as the feed tells them: messages of WatchChangesResponse (feed.proto), each framed and of at most
// 1 MiB, written one behind the other.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FEED_FEED_ROWS_H
#define LATCHKEY_SERVICES_VALIDATOR_FEED_FEED_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buffer.h"
#include "services/validator/image/image_observer.h"

// Zeroed memory is an empty one. Out of memory is told at the end, by `frames.failed`.
struct feed_rows {
    struct buffer frames; // whole messages
    struct buffer rows;   // FeedRows of the next
    bool is_run;          // all messages belong together
};

void feed_rows_fini(struct feed_rows *rows);

// Empties it and keeps the memory.
void feed_rows_reset(struct feed_rows *rows);

void feed_rows_add_catalogue(struct feed_rows *rows, const struct permission_definition *definitions,
                             size_t count);
void feed_rows_add_company(struct feed_rows *rows, const struct company_row *row);
void feed_rows_add_whitelist(struct feed_rows *rows, const struct whitelist_row *row);
void feed_rows_add_role(struct feed_rows *rows, const struct role_row *row);
void feed_rows_add_member(struct feed_rows *rows, const struct member_row *row);
void feed_rows_add_token(struct feed_rows *rows, const struct token_row *row);

// All entries of a list, or what it has under the change's prefixes.
void feed_rows_add_entries(struct feed_rows *rows, const struct uuid *company_id,
                           const struct ip_set_change *change);
void feed_rows_add_lookup(struct feed_rows *rows, enum image_scope scope, const struct uuid *id);

// What was added last is put into a message of its own: `frames` is complete.
void feed_rows_end_message(struct feed_rows *rows);

#endif
