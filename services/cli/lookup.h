// Names that people type in place of ids: a member's e-mail address, a role's name; and the way back.
#ifndef LATCHKEY_SERVICES_CLI_LOOKUP_H
#define LATCHKEY_SERVICES_CLI_LOOKUP_H

#include <protobuf-c/protobuf-c.h>

#include "common/base/compiler.h"
#include "services/cli/cli.h"

// The member's id: `text` itself unless it is an e-mail address. EXIT_CODE_DONE or what cli_fail() said.
MUST_CHECK enum exit_code lookup_find_member(struct cli *cli, const char *text, const char **ret_id);

// The same for a role and its name.
MUST_CHECK enum exit_code lookup_find_role(struct cli *cli, const char *text, const char **ret_id);

// The ids of all roles of --role, which were typed as ids or names.
MUST_CHECK enum exit_code lookup_find_roles(struct cli *cli, const char ***ret_ids, size_t *ret_count);

// Puts them into `role_ids`; nothing where there are none.
MUST_CHECK enum exit_code lookup_set_roles(struct cli *cli, ProtobufCMessage *message);

// The one role of --role as the filter `role_id`.
MUST_CHECK enum exit_code lookup_set_role(struct cli *cli, ProtobufCMessage *request);

// The company's roles, for their names.
struct lookup_roles;
// Has none where the caller may not list them.
const struct lookup_roles *lookup_load_roles(struct cli *cli);
// "administrator, cashier" of the message's `role_ids`, ids where no name is known; "none".
const char *lookup_describe_roles(struct cli *cli, const struct lookup_roles *roles,
                                  const ProtobufCMessage *message);

#endif
