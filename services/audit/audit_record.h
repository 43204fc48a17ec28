// An event as it stands in the log: the event, its place in the chain, and what stands beside it about a
// person. Texts are borrowed from whoever read it.
#ifndef LATCHKEY_SERVICES_AUDIT_AUDIT_RECORD_H
#define LATCHKEY_SERVICES_AUDIT_AUDIT_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/app/audit_event.h"
#include "common/ip/address.h"

struct audit_head {
    int64_t number; // 0 = nothing has been appended yet
    struct digest hash;
};

struct audit_record {
    struct audit_event event;
    int64_t number;
    int64_t at_us; // since 1970
    struct digest previous_hash, hash;

    bool is_person_there; // false where event.has_person: it was erased
    struct audit_person person;
    char client_ip[IP_ADDRESS_TEXT_MAX + 1]; // person.client_ip points here
};

#endif
