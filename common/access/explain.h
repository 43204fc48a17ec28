// The decision told step by step, for people: every check in its order, also those after the first failure,
// with the values compared, the entry that let the address in, and the entry that came nearest.
#ifndef LATCHKEY_COMMON_ACCESS_EXPLAIN_H
#define LATCHKEY_COMMON_ACCESS_EXPLAIN_H

#include "common/access/decision.h"
#include "common/access/permission.h"
#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

// Which list an entry stands in; numbers as latchkey.v1.ListKind.
enum list_kind {
    LIST_KIND_NONE = 0,
    LIST_KIND_COMPANY = 1,
    LIST_KIND_MEMBER = 2,
    LIST_KIND_TOKEN = 3,
    LIST_KIND_DOMAIN = 4
};

struct access_listed_entry {
    enum list_kind list;       // NONE = there is none
    struct ip_set_entry entry; // of an IP list
    struct bytes domain;       // of a domain list; borrows from the set
    unsigned common_bits;      // with the address asked about
};

struct access_step {
    enum reason check; // the reason it gives when it fails
    bool passed;       // also when it does not apply; `detail` says so
    const char *detail;
};

#define ACCESS_STEPS_MAX REASON_COUNT

struct access_explanation {
    enum reason reason; // what access_decide() says
    struct access_step steps[ACCESS_STEPS_MAX];
    size_t step_count;
    struct access_listed_entry matched;      // of the last list that was consulted and held the address
    struct access_listed_entry nearest_miss; // of the first list that refused and has one
};

// `catalogue` names the permissions in the sentences. Texts live in the arena. NO_MEMORY when it runs out.
MUST_CHECK enum status access_explain(const struct access_subject *subject,
                                      const struct access_request *request,
                                      const struct permission_catalogue *catalogue, struct arena *arena,
                                      struct access_explanation *ret_explanation);

#endif
