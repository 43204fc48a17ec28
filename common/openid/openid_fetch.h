// One request to an OpenID provider, by libcurl: encrypted and its certificate vouched for (but on this
// machine), within a time, its answer bounded, and never led elsewhere: redirects, proxies of the environment
// and compression are off.
#ifndef LATCHKEY_COMMON_OPENID_FETCH_H
#define LATCHKEY_COMMON_OPENID_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

// Asked once a second while a request is on its way: true gives it up.
struct openid_stop {
    bool (*is_stopping)(void *context); // NULL = never
    void *context;
};

struct openid_request {
    const char *url;             // safe (openid_url.h)
    const char *ca_file;         // NULL = those that the system trusts
    const char *user, *password; // of HTTP's Basic, as they are sent; NULL = none
    struct bytes form;           // posted; data NULL = GET
    int64_t timeout_ms;          // for all of it
    size_t answer_max;
    struct openid_stop stop;
};

#define OPENID_WORDS_MAX 128

// Before the first threads: prepares libcurl. NO_MEMORY.
MUST_CHECK enum status openid_fetch_prepare(void);

// `answer` is an empty buffer; it has the body. UNAVAILABLE: there is no whole answer; INVALID: its status is
// not 200; TOO_LARGE; NO_MEMORY. `ret_words` then says why in words of ours.
MUST_CHECK enum status openid_fetch(const struct openid_request *request, struct buffer *answer,
                                    char ret_words[OPENID_WORDS_MAX]);

#endif
