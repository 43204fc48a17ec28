// Both look-ups read the one table of status.h; a number that is no status reads as an internal error.
#include "common/base/status.h"

static const struct {
    const char *name, *text;
} table[STATUS_COUNT] = {
#define STATUS_ROW(name, text) [STATUS_##name] = {#name, text},
    STATUS_TABLE(STATUS_ROW)
#undef STATUS_ROW
};

static enum status get_known(enum status status) {
    return (unsigned)status < STATUS_COUNT ? status : STATUS_INTERNAL;
}

const char *status_get_name(enum status status) {
    return table[get_known(status)].name;
}

const char *status_get_text(enum status status) {
    return table[get_known(status)].text;
}
