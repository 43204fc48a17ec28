#include "common/app/exit_status.h"

#include <errno.h>
#include <stdio.h>

#include "common/base/bytes.h"

enum exit_status exit_status_of(enum status status) {
    bool may_pass = status == STATUS_UNAVAILABLE || status == STATUS_NO_MEMORY;
    return may_pass ? EXIT_STATUS_TEMPORARY : EXIT_STATUS_USAGE;
}

int exit_status_explain(enum exit_status status, const char *sentences) {
    for (struct bytes rest = bytes_of_text(sentences); rest.data;) {
        struct bytes sentence = bytes_split(&rest, '\n');
        fprintf(stderr, "%s: %.*s\n", program_invocation_short_name, BYTES_FORMAT(sentence));
    }
    return (int)status;
}
