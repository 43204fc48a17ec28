// What a loop does with its connections by admission.h: those that have to go hear GOAWAY with the last call
// that was read, which is answered, and are closed; who may not come is closed before a byte is read. gRPC's
// clients send what was not read again, over another connection; where that is closed before it has begun
// they turn to another address, or back off for a second and longer.
#ifndef LATCHKEY_COMMON_GRPC_CONNECTION_ADMISSION_H
#define LATCHKEY_COMMON_GRPC_CONNECTION_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>

#include "common/grpc/server_internal.h"

// So many bytes of it have been read. Not inside of nghttp2.
void connection_admission_note_read(struct grpc_connection *connection, size_t bytes);

// Whether one more connection may come, that has been accepted.
bool connection_admission_permits(struct grpc_loop *home);

#endif
