#include "services/cli/exit_code.h"

enum exit_code exit_code_from_status(enum status status) {
    switch (status) {
    case STATUS_OK: return EXIT_CODE_DONE;
    case STATUS_INVALID:
    case STATUS_MALFORMED:
    case STATUS_TOO_LARGE: return EXIT_CODE_USAGE;
    case STATUS_UNAUTHENTICATED:
    case STATUS_PERMISSION_DENIED: return EXIT_CODE_NOT_ALLOWED;
    case STATUS_UNAVAILABLE:
    case STATUS_OUTCOME_UNKNOWN:
    case STATUS_DEADLINE_EXCEEDED:
    case STATUS_EXHAUSTED:
    case STATUS_CANCELLED:
    case STATUS_CLOSED: return EXIT_CODE_UNAVAILABLE;
    case STATUS_NOT_FOUND:
    case STATUS_ALREADY_EXISTS:
    case STATUS_FAILED_PRECONDITION:
    case STATUS_ABORTED: return EXIT_CODE_REFUSED;
    default: return EXIT_CODE_FAILED;
    }
}

enum grpc_code exit_code_to_grpc(enum exit_code code) {
    switch (code) {
    case EXIT_CODE_DONE: return GRPC_CODE_OK;
    case EXIT_CODE_NO: return GRPC_CODE_CANCELLED;
    case EXIT_CODE_USAGE: return GRPC_CODE_INVALID_ARGUMENT;
    case EXIT_CODE_NOT_ALLOWED: return GRPC_CODE_PERMISSION_DENIED;
    case EXIT_CODE_UNAVAILABLE: return GRPC_CODE_UNAVAILABLE;
    case EXIT_CODE_REFUSED: return GRPC_CODE_FAILED_PRECONDITION;
    default: return GRPC_CODE_UNKNOWN;
    }
}
