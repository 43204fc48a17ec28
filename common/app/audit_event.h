// An event of the audit log and the hash that chains it to the one before, computed here both when it is
// written and when the chain is verified; the database only stores it.
//
//   content = SHA-256 of these fields, each as text in UTF-8 behind its length in bytes (4 bytes,
//   big-endian):
//               "latchkey.audit.1"      the version of this format
//               event                   aud_...
//               company                 cmp_...
//               actor: member, token    mbr_..., tok_...; empty where there is none, like all below
//               actor: operator         cmp_... of the operator that acted for the company
//               actor: system           what did it where no caller did
//               action, object
//               before, after           JSON objects, byte for byte
//               request                 the request_id, as a UUID's text
//               count                   decimal
//               person                  64 hexadecimal digits, or empty
//   person  = SHA-256 of 32 random bytes, the salt, as the first field, then of e-mail address, user agent,
//             address of the client, the personal fields before and after; each behind its length as above
//   hash    = SHA-256 of the hash before (32 bytes; zero for the first), the number in the chain and the time
//             in microseconds since 1970 (8 bytes each, big-endian), and content (32 bytes)
//
// What tells who a person is stands in a row of its own, with the salt. Once that is erased the person's
// digest says nothing about it, and the chain holds as before.
#ifndef LATCHKEY_COMMON_APP_AUDIT_EVENT_H
#define LATCHKEY_COMMON_APP_AUDIT_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/crypto/digest.h"

#define AUDIT_SALT_LENGTH 32

struct audit_actor {
    struct uuid member_id, token_id; // zero = none
    struct uuid operator_company_id; // zero = it did not act for another company
    struct bytes system;             // empty = a caller did it
};

struct audit_person {
    struct bytes salt; // AUDIT_SALT_LENGTH
    struct bytes email, user_agent, client_ip;
    struct bytes before, after; // JSON objects, or empty
};

struct audit_event {
    struct uuid event_id, company_id;
    struct audit_actor actor;
    struct bytes action, object_id;
    struct bytes before, after; // JSON objects, or empty
    struct uuid request_id;     // zero = none
    int64_t count;
    bool has_person;
    struct digest person;
};

// `scratch` is emptied first and holds what is hashed. NO_MEMORY.
MUST_CHECK enum status audit_person_hash(const struct audit_person *person, struct buffer *scratch,
                                         struct digest *ret_digest);
MUST_CHECK enum status audit_event_hash(const struct audit_event *event, struct buffer *scratch,
                                        struct digest *ret_content);

// The hash of an event in its place.
void audit_chain_hash(const struct digest *previous, int64_t number, int64_t at_us,
                      const struct digest *content, struct digest *ret_hash);

#endif
