// What changed in an object, as JSON for the audit log: its message before and after, and of that only the
// fields that differ, at any depth. Compact, keys sorted, so that the same change always gives the same
// bytes; bounded by AUDIT_JSON_MAX, however long the object's lists are.
//
//   before {"label":"old"}   after {"label":"new"}
//   before {"policy":{"require_expiry":false}}   after {"policy":{"require_expiry":true}}
//   before ""                after {"label":"new",...}   it was not there: what is not empty
//   before {"allowed_ips":{"count":4000,"removed":["192.0.2.1/32"]}}
//   after  {"allowed_ips":{"count":4001,"added":["192.0.2.2/32","192.0.2.3/32"]}}   a long list
//
// Left out: fields that are a secret or say where one is, etags, and when something was last used. Maps are
// kept whole, whatever their keys are. What tells who a person is (personal_fields of audit_diff.c) stands
// apart, to be kept beside the chain and erased from there.
#ifndef LATCHKEY_COMMON_APP_AUDIT_DIFF_H
#define LATCHKEY_COMMON_APP_AUDIT_DIFF_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

#define AUDIT_JSON_MAX 4096

// One side of a change, in the arena.
struct audit_json {
    const char *plain;    // a JSON object; "" = the object was not there, or is gone
    const char *personal; // a JSON object with the fields about a person; "" = none
};

// NULL = was not there, is gone. `ret_differs` is false where both are there and nothing differs. NO_MEMORY.
MUST_CHECK enum status audit_diff(const ProtobufCMessage *before, const ProtobufCMessage *after,
                                  struct arena *arena, struct audit_json *ret_before,
                                  struct audit_json *ret_after, bool *ret_differs);

// The same of JSON objects that were written by hand, but for comparing: everything is taken as it is. "" =
// none. INTERNAL for what is no JSON object; NO_MEMORY.
MUST_CHECK enum status audit_diff_texts(const char *before, const char *after, struct arena *arena,
                                        struct audit_json *ret_before, struct audit_json *ret_after);

// The two parts as one object, in the arena; NULL when out of memory.
MUST_CHECK const char *audit_json_join(const struct audit_json *json, struct arena *arena);

#endif
