#include "common/grpc/http2_library.h"

#include <nghttp2/nghttp2.h>
#include <pthread.h>
#include <stdio.h>

static char text[128];

// A shared library is another one after an upgrade, without a new build.
static void write_text(void) {
    snprintf(text, sizeof(text), "nghttp2 %s (%s)", nghttp2_version(0)->version_str, LATCHKEY_NGHTTP2_ORIGIN);
}

const char *http2_library_get_text(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, write_text);
    return text;
}
