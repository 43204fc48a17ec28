#include "common/app/http_site.h"

#include <string.h>

const char *http_site_find_listen(const struct http_site *site) {
    const char *listen = *site->listen;
    return listen && strcmp(listen, "none") != 0 ? listen : NULL;
}
