// What `latchkey doctor` reads in the database: facts, without a judgement.
#ifndef LATCHKEY_SERVICES_CLI_DOCTOR_STORE_H
#define LATCHKEY_SERVICES_CLI_DOCTOR_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/db/transaction.h"

struct validator_facts {
    const char *name;
    int64_t behind;    // changes, of all lanes that it holds
    int64_t silent_ms; // since its last renewal
    int64_t lease_ms;
};

// In the arena.
struct database_facts {
    int64_t version; // 150012
    bool is_in_recovery;
    bool keeps_fsync, keeps_full_pages;
    const char *synchronous_commit;
    bool has_synchronous_standbys;
    int64_t standbys;
    int64_t free_connections, all_connections;

    bool has_operator;
    int64_t lanes;
    int64_t timeline;
    bool is_timeline_accepted;
    int64_t loss_reports; // that are not settled
    struct validator_facts *validators;
    size_t validator_count;
    int64_t fewest_servers, most_servers; // of a lane of companies: validators whose leases hold
    const char *unserved;                 // lanes that have none, as "32-63"; "" = there is no such

    int64_t queued_mails, oldest_mail_ms;
    struct uuid *locked_out; // companies whose whitelist is on and lets nobody in; the first few
    size_t locked_out_count;
};

// As the owner of the schema.
MUST_CHECK enum status doctor_store_read(struct db_transaction *transaction, struct arena *arena,
                                         struct database_facts *ret_facts);

// The database's clock.
MUST_CHECK enum status doctor_store_read_clock(struct db_transaction *transaction, int64_t *ret_now_ms);

#endif
