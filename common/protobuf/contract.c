#include "common/protobuf/contract.h"

#include <string.h>

#include "common/base/bytes.h"

// How the contract's names of methods begin that only look.
static const char *const readings[] = {"Get",     "List",     "Check",  "Lookup",
                                       "Preview", "Validate", "Verify", "Explain"};

bool contract_is_reading(const char *path) {
    const char *method = strrchr(path, '/') + 1;
    for (size_t i = 0; i < ARRAY_LENGTH(readings); i++)
        if (bytes_has_prefix(bytes_of_text(method), bytes_of_text(readings[i])))
            return true;
    return false;
}
