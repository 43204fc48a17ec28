// What clients may do by their certificates, as a file says it: on each line one name and what its bearer
// holds, "#" beginning a comment.
//
//     spiffe://cluster/ns/gateway/sa/envoy   latchkey.validate.any latchkey.validate.detail
//     dns:reports.example.com                latchkey.validate.any
//
// Names match whole and exactly. Who has several holds what each of them does. The table in use is replaced
// while it is read: connections that are open go by the new one from their next call on.
#ifndef LATCHKEY_COMMON_APP_CLIENT_RIGHTS_H
#define LATCHKEY_COMMON_APP_CLIENT_RIGHTS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/crypto/tls_identity.h"

// What a certificate can stand for; each row a bit. Everything else takes a token.
#define CLIENT_RIGHT_TABLE(X)                        \
    X(VALIDATE_ANY, "latchkey.validate.any")         \
    X(VALIDATE_DETAIL, "latchkey.validate.detail")   \
    X(VALIDATE_EXPLAIN, "latchkey.validate.explain") \
    X(VALIDATE_WATCH, "latchkey.validate.watch")

enum {
#define CLIENT_RIGHT_NUMBER(name, text) CLIENT_RIGHT_NUMBER_##name,
    CLIENT_RIGHT_TABLE(CLIENT_RIGHT_NUMBER)
#undef CLIENT_RIGHT_NUMBER
        CLIENT_RIGHT_COUNT
};

enum client_right {
#define CLIENT_RIGHT_ENUM(name, text) CLIENT_RIGHT_##name = 1u << CLIENT_RIGHT_NUMBER_##name,
    CLIENT_RIGHT_TABLE(CLIENT_RIGHT_ENUM)
#undef CLIENT_RIGHT_ENUM
};

struct client_rights; // immutable

// INVALID, and a sentence in `ret_error` that begins with `name` and the number of the line,
// "rights.conf:3:". NO_MEMORY. *ret_rights is owned.
MUST_CHECK enum status client_rights_parse(struct bytes text, const char *name,
                                           struct client_rights **ret_rights, char *ret_error,
                                           size_t error_size);
// The same of a file. UNAVAILABLE: it could not be read now (whole_file.h).
MUST_CHECK enum status client_rights_read(const char *path, struct client_rights **ret_rights,
                                          char *ret_error, size_t error_size);
void client_rights_free(struct client_rights *rights); // takes NULL

// Bits of enum client_right; `rights` and `identity` may be NULL, and give none.
uint32_t client_rights_find(const struct client_rights *rights, const struct tls_identity *identity);

// Puts it in place of the table in use, which is freed. Takes NULL: nobody holds anything. Any thread.
void client_rights_publish(struct client_rights *rights);

// By the table in use. On the thread of the connection's loop; costs two loads unless the table is new.
uint32_t client_rights_get(struct tls_identity *identity);

#endif
