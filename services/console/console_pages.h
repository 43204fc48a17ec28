// The console's files, and index.html at every other path without a dot: which page that is, is seen in the
// browser. Files whose names have a hash of what is in them may be kept for ever, others never are.
#ifndef LATCHKEY_SERVICES_CONSOLE_CONSOLE_PAGES_H
#define LATCHKEY_SERVICES_CONSOLE_CONSOLE_PAGES_H

#include <stdbool.h>

#include "common/app/http_route.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

// Whether this binary carries them.
bool console_pages_are_there(void);

// Before the door opens: compresses them. NO_MEMORY.
MUST_CHECK enum status console_pages_start(void);
void console_pages_stop(void);

extern const struct http_route console_pages_route;

#endif
