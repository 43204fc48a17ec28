// Where a call really comes from. The TCP peer, unless the peer is a trusted proxy: then x-forwarded-for is
// walked from the right, because each proxy appends the address it saw and everything to the left of the
// first untrusted one may be invented.
#ifndef LATCHKEY_COMMON_APP_CLIENT_ADDRESS_H
#define LATCHKEY_COMMON_APP_CLIENT_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "common/base/status.h"
#include "common/grpc/call.h"
#include "common/ip/address.h"
#include "common/ip/ip_set.h"

// Reads "10.0.0.0/8, 2001:db8::1" (commas, spaces allowed around them). An empty list gives NULL, which
// trusts nobody. INVALID leaves a sentence that names the item, NO_MEMORY one that says so. *ret_trusted is
// owned, freed with ip_set_free().
MUST_CHECK enum status client_address_parse_trusted(const char *list, struct ip_set **ret_trusted,
                                                    char *ret_error, size_t error_size);

// `forwarded` holds the values of x-forwarded-for in the order of their arrival. The right-most address that
// is not trusted; the left-most one when all are; no address (family 0: whatever is listed denies) when an
// element that has to be believed can't be read. Without the header a trusted proxy speaks for itself.
struct ip_address client_address_find(const struct ip_set *trusted, const struct ip_address *peer,
                                      const struct bytes *forwarded, size_t forwarded_count);

// The same, of header fields, and of a call with its metadata.
struct ip_address client_address_find_in(const struct ip_set *trusted, const struct ip_address *peer,
                                         const struct metadata *fields);
struct ip_address client_address_find_of_call(const struct ip_set *trusted, const struct grpc_call *call);

// The same behind a known number of proxies instead of known addresses: as many steps to the left of `peer`
// in x-forwarded-for, to which each of them has added the address that it saw. No address when the walk is
// too long for the fields. 0 is `peer`. A right-most element that is `peer` itself is no step: some proxies
// add the one that they were asked by before they ask anybody about it.
struct ip_address client_address_find_by_hops(unsigned hops, const struct ip_address *peer,
                                              const struct metadata *fields);

// For whom a server of ours says that it asks (latchkey-console): beside x-forwarded-for, so that it is
// refused where it is not believed, in place of being taken for the one that asks.
#define CLIENT_ADDRESS_FIELD "latchkey-client-ip"

// PERMISSION_DENIED (PROXY_NOT_TRUSTED), and the fault filled, if the call says for whom it is and that is
// not the address of client_address_find_of_call().
MUST_CHECK enum status client_address_check(const struct ip_set *trusted, const struct grpc_call *call,
                                            struct fault *fault);

// Whether nobody is said to stand behind the peer: it is no trusted proxy, or says nothing, or names its own
// address alone, and it does not say for whom it asks. A chain that begins there and goes on elsewhere may
// have been invented elsewhere.
bool client_address_is_of_peer(const struct ip_set *trusted, const struct grpc_call *call);

#endif
