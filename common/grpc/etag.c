#include "common/grpc/etag.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void etag_format(int64_t version, char ret_etag[ETAG_MAX + 1]) {
    snprintf(ret_etag, ETAG_MAX + 1, "%" PRId64, version);
}

enum status etag_check(const char *etag, int64_t version, struct fault *fault) {
    char present[ETAG_MAX + 1];
    etag_format(version, present);
    if (!*etag || strcmp(etag, present) == 0)
        return STATUS_OK;
    fault_add_detail(fault, "etag", "%s", present);
    return fault_set(fault, STATUS_ABORTED, "ETAG_STALE",
                     "somebody else has changed it since you read it; read it again and repeat the change");
}
