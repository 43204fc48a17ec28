// What the handler of a management method, or a change that the system makes by itself (system_call.h), works
// with: for which company, in which transaction, asked by whom, at what time.
#ifndef LATCHKEY_COMMON_APP_CALL_H
#define LATCHKEY_COMMON_APP_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/app/caller.h"
#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/fault.h"
#include "common/base/uuid.h"
#include "common/db/transaction.h"
#include "common/ip/address.h"

struct app;
struct audit_note;
struct deployment;

// Lives in its own arena.
struct app_call {
    struct app *app;
    struct arena *arena;
    struct fault *fault; // a handler that fails fills it, or leaves it empty for the status alone
    struct db_transaction *transaction;

    struct uuid company_id; // for which it acts; zero before app_call_enter_company()
    uint8_t lane; // where the change stands in the log: the company's, unless the handler sets another

    const struct deployment *deployment; // held until the answer has left; NULL = nobody was looked up

    const struct caller *caller; // NULL = nobody who is known: an open method, or the system
    const char *system;          // what makes the change where no call does, e.g. "sweeper"; else NULL
    struct ip_address address;   // where the call comes from; no family = unknown, or no call
    struct bytes user_agent;     // as sent, in the transport's memory; empty = none
    struct uuid request_id;      // zero = none

    int64_t now_ms;       // the database's time of this transaction, UTC
    uint64_t timer_ns;    // monotonic, when the request was read
    uint64_t deadline_ns; // monotonic, when it must have been answered

    // A handler that refuses sets it where the refusal itself leaves a trace: the transaction is committed,
    // and then the fault is answered.
    bool keeps_refusal;

    struct audit_note *notes; // newest first (audit.h)
};

// For whom a call acts that began without a company: known once a look-up has found whose the thing is.
void app_call_enter_company(struct app_call *call, struct uuid company_id);

// Under which name objects keep who made or changed them: the caller's (caller_get_author()), else the
// system's; "" = nobody is known. Borrows from the call, or is copied to its arena; NULL when out of memory.
const char *app_call_get_author(const struct app_call *call);

#endif
