// The file of exported heads: only ever appended to, by any number of servers.
#ifndef LATCHKEY_SERVICES_AUDIT_HEAD_FILE_H
#define LATCHKEY_SERVICES_AUDIT_HEAD_FILE_H

#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

// Appends whole lines: all of them, on the disk, or none. UNAVAILABLE with errno otherwise. Creates the file
// with mode 0640.
MUST_CHECK enum status head_file_append(const char *path, struct bytes lines);

#endif
