// Tokens that another system handed out, into the database.
#ifndef LATCHKEY_SERVICES_TOKEN_TOKEN_IMPORT_STORE_H
#define LATCHKEY_SERVICES_TOKEN_TOKEN_IMPORT_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "common/app/call.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "services/token/token_import_rules.h"
#include "services/token/token_store.h"

// Reads the company's policy, and gives those imports that have not failed and whose secret or external_id is
// in use ALREADY_EXISTS.
MUST_CHECK enum status token_store_check_imports(struct app_call *call, struct token_import *imports,
                                                 size_t count, int64_t company_tokens_max,
                                                 struct token_policy *ret_policy);

// Inserts those that have not failed, with their secrets and last use, and reads them back, newest first.
// ABORTED if another call took a secret or an external_id in between, or the caller is not what it was before
// the insertion waited (caller_check_again()): the whole call is to be run again.
MUST_CHECK enum status token_store_import(struct app_call *call, const struct token_import *imports,
                                          size_t count, const char *created_by, struct token_list *ret_list);

#endif
