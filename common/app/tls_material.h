// What a process speaks TLS with: the certificate and what else the settings name (tls_settings.h), read at
// the start and again when one of the files has changed, or when told to. A file that can't be used changes
// nothing: what was read before stays in use, the log says why, once, and it is counted.
//
// Of the process; the main thread's, unless said.
#ifndef LATCHKEY_COMMON_APP_TLS_MATERIAL_H
#define LATCHKEY_COMMON_APP_TLS_MATERIAL_H

#include <stddef.h>
#include <stdint.h>

#include "common/app/metrics.h"
#include "common/base/clock.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "common/crypto/tls_server.h"
#include "common/grpc/server.h"

// Reads all files; does nothing where the settings name no certificate. INVALID or NO_MEMORY, and a sentence
// that names the file. Borrows `clock`.
MUST_CHECK enum status tls_material_open(const struct clock *clock, char *ret_error, size_t error_size);
void tls_material_close(void); // when no server uses it any more

// Fills in what a server needs to speak TLS, if it is to. It borrows.
void tls_material_fill(struct grpc_server_options *options);

// Every second or so: reads again what has changed, when it is time to look.
void tls_material_tick(void);

// Reads everything again.
void tls_material_reload(void);

// A metrics source. Any thread.
void tls_material_write_metrics(struct metrics_writer *writer, void *context);

#endif
