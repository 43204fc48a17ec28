// The message begins with its type and its length, and is cut into records, each with a head of its own: at
// worst those four bytes are in four records. What follows them is not looked at.
#include "common/crypto/tls_hello.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    RECORD_HEAD_BYTES = 5, // content type, version, length
    RECORD_BYTES_MAX = 16 * 1024,
    CONTENT_HANDSHAKE = 22,
    VERSION_MAJOR = 3,
    HEAD_BYTES = 4, // type, length
    TYPE_CLIENT_HELLO = 1,
};

// As much of the head of a record as there is.
static bool is_handshake(struct bytes record) {
    return (record.len < 1 || record.data[0] == CONTENT_HANDSHAKE) &&
           (record.len < 2 || record.data[1] == VERSION_MAJOR);
}

static size_t get_record_len(struct bytes record) {
    return (size_t)record.data[3] << 8 | record.data[4];
}

static struct bytes skip(struct bytes bytes, size_t len) {
    return bytes_of(bytes.data + len, bytes.len - len);
}

static enum tls_hello judge(const uint8_t head[HEAD_BYTES], size_t len) {
    size_t announced = (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    if (announced > TLS_HELLO_BYTES_MAX)
        return TLS_HELLO_TOO_LONG;
    return len < announced ? TLS_HELLO_UNFINISHED : TLS_HELLO_WHOLE;
}

enum tls_hello tls_hello_look(struct bytes opening) {
    uint8_t head[HEAD_BYTES];
    for (size_t known = 0; known < HEAD_BYTES;) {
        if (!is_handshake(opening))
            return TLS_HELLO_WHOLE;
        if (opening.len < RECORD_HEAD_BYTES)
            return TLS_HELLO_UNFINISHED;
        size_t left = get_record_len(opening);
        if (left == 0 || left > RECORD_BYTES_MAX)
            return TLS_HELLO_WHOLE;
        opening = skip(opening, RECORD_HEAD_BYTES);
        for (; left > 0 && known < HEAD_BYTES && opening.len > 0; left--, opening = skip(opening, 1))
            head[known++] = opening.data[0];
        if (known > 0 && head[0] != TYPE_CLIENT_HELLO)
            return TLS_HELLO_WHOLE;
        if (known < HEAD_BYTES && left > 0)
            return TLS_HELLO_UNFINISHED;
    }
    return judge(head, opening.len);
}
