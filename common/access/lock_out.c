#include "common/access/lock_out.h"

#include <inttypes.h>

#include "common/base/clock.h"
#include "common/ip/prefix.h"

#define REASON "LOCKS_OUT_CALLER"

static enum status refuse(const struct lock_out *change, struct fault *fault) {
    const struct ip_address *caller = &change->address;
    if (caller->family == IP_FAMILY_NONE)
        return fault_set(fault, STATUS_FAILED_PRECONDITION, REASON,
                         "this would refuse you: no entry holds an address that the server can't tell; call "
                         "from one that it can, or set force");
    char address[IP_ADDRESS_TEXT_MAX + 1], entry[IP_PREFIX_TEXT_MAX + 1];
    struct ip_prefix needed = ip_prefix_of(caller, ip_address_get_width_bits(caller));
    ip_address_format(caller, address);
    ip_prefix_format(&needed, entry);
    fault_add_detail(fault, "clientIp", "%s", address);
    fault_add_detail(fault, "neededEntry", "%s", entry);
    if (change->would_until_ms <= change->now_ms)
        return fault_set(fault, STATUS_FAILED_PRECONDITION, REASON,
                         "this would refuse your own address, %s; add the entry %s first, or set force",
                         address, entry);
    int64_t left_s = (change->would_until_ms - change->now_ms + 999) / 1000;
    fault_add_detail(fault, "refusedInSeconds", "%" PRId64, left_s);
    return fault_set(fault, STATUS_FAILED_PRECONDITION, REASON,
                     "this would refuse your own address, %s, %" PRId64
                     " seconds from now; add the entry %s first, or set force",
                     address, left_s, entry);
}

enum status lock_out_check(const struct lock_out *change, struct fault *fault) {
    if (change->would_until_ms <= change->now_ms)
        return refuse(change, fault);
    bool is_near = change->would_until_ms != CLOCK_NEVER_MS &&
                   change->would_until_ms - change->now_ms < change->horizon_ms;
    if (is_near && change->would_until_ms < change->let_in_until_ms)
        return refuse(change, fault);
    return STATUS_OK;
}
