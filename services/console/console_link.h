// The links by which people sign in: each works once, until its time is over, in the browser that asked for
// it. So neither who reads somebody's mail, nor a filter that opens what is in it, nor who sends a link of
// their own to somebody else gets a session out of it. They are kept in memory, as digests, so many at most:
// a process that starts again has forgotten them, and people ask for another one.
//
//     FREE --added--> WAITING --taken--> TAKEN --its time is over--> FREE
//                        ^----given back---'
#ifndef LATCHKEY_SERVICES_CONSOLE_CONSOLE_LINK_H
#define LATCHKEY_SERVICES_CONSOLE_CONSOLE_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/base62.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/ip/address.h"

#define CONSOLE_LINK_SECRET_LENGTH BASE62_LENGTH_256
#define CONSOLE_EMAIL_MAX 254
#define CONSOLE_COMPANY_MAX 255

// To whom it leads.
struct console_person {
    char email[CONSOLE_EMAIL_MAX + 1];
    char company[CONSOLE_COMPANY_MAX + 1]; // ID; "" = the one of the console's token
};

struct console_links;

struct console_links_options {
    size_t max;
    size_t per_address; // of one mailbox, asked for from one address (IPv6: one /64)
    int64_t lifetime_ms;
};

MUST_CHECK enum status console_links_new(const struct console_links_options *options,
                                         struct console_links **ret_links);
void console_links_free(struct console_links *links); // wipes them; takes NULL

// All from here on: any thread. `now_ns` is boot time, `browser` what tells the browsers apart.

// EXHAUSTED: there are too many, or too many to this person's mailbox, in whatever case it is written and
// whatever the company: that `asker` has asked for, or four times as many by anybody. So nobody else uses up
// somebody's links, short of asking from many addresses.
MUST_CHECK enum status console_links_add(struct console_links *links, const struct console_person *person,
                                         const struct ip_address *asker, struct bytes browser,
                                         uint64_t now_ns, char ret_secret[CONSOLE_LINK_SECRET_LENGTH + 1]);

// Zero is broken: unknown, over, or taken before.
enum console_link_state { CONSOLE_LINK_BROKEN, CONSOLE_LINK_OF_OTHER_BROWSER, CONSOLE_LINK_TAKEN };
MUST_CHECK enum console_link_state console_links_take(struct console_links *links, struct bytes secret,
                                                      struct bytes browser, uint64_t now_ns,
                                                      struct console_person *ret_person);

// Nobody was signed in by the one that was taken: it may be tried again.
void console_links_give_back(struct console_links *links, struct bytes secret);

#endif
