// Whether a server's certificate would be believed: it and what stands behind it in its file lead to an
// authority that a client trusts.
#ifndef LATCHKEY_COMMON_CRYPTO_TLS_CHAIN_H
#define LATCHKEY_COMMON_CRYPTO_TLS_CHAIN_H

#include <stddef.h>

#include "common/base/compiler.h"
#include "common/base/status.h"

// PEM files; `authorities_file` NULL = the system's authorities. INVALID or NO_MEMORY, and a sentence.
MUST_CHECK enum status tls_chain_check(const char *certificate_file, const char *authorities_file,
                                       char *ret_error, size_t error_size);

#endif
