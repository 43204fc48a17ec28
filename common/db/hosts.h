// A connection string taken apart: one set of libpq's keywords for each of its hosts, with our defaults
// added, so that each host gets a time-out of its own (libpq's non-blocking connect has none: a primary that
// hangs would keep us from its successor).
#ifndef LATCHKEY_COMMON_DB_HOSTS_H
#define LATCHKEY_COMMON_DB_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/compiler.h"
#include "common/base/status.h"

#define HOSTS_KEYWORDS_MAX 64

struct hosts; // opaque; one connection string

// INVALID when libpq can't parse it, NO_MEMORY.
MUST_CHECK enum status hosts_parse(const char *url, const char *application_name, struct hosts **ret_hosts);
void hosts_free(struct hosts *hosts); // takes NULL

// At least 1: without a host the socket directory or the environment's PGHOST counts as one.
unsigned hosts_get_count(const struct hosts *hosts);

// libpq's NULL-terminated keywords and values for host number `i`; borrowed until the next call.
struct hosts_keywords {
    const char *names[HOSTS_KEYWORDS_MAX + 1];
    const char *values[HOSTS_KEYWORDS_MAX + 1];
};
const struct hosts_keywords *hosts_select(struct hosts *hosts, unsigned i);

#endif
