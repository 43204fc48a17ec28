// Every command of `latchkey`: the lists of all nouns one after the other.
#include "services/cli/audit_command.h"
#include "services/cli/command_rows.h"
#include "services/cli/company_command.h"
#include "services/cli/draft_command.h"
#include "services/cli/invitation_command.h"
#include "services/cli/login_command.h"
#include "services/cli/member_command.h"
#include "services/cli/plain_command.h"
#include "services/cli/role_command.h"
#include "services/cli/token_command.h"
#include "services/cli/transport_options.h"
#include "services/cli/whitelist_command.h"

static const struct option common_options[] = {
    FLAG("json", "Prints JSON for programs, errors too."),
    VALUE(
        WORD, "address", "HOST:PORT",
        "The server, https://HOST:PORT or unix:/PATH, in place of LATCHKEY_ADDRESS. Several are separated by "
        "commas."),
    VALUE(WORD, "token-file", "FILE", "Your token's file, in place of LATCHKEY_TOKEN; - is standard input."),
    FLAG("operator", "Calls with LATCHKEY_OPERATOR_TOKEN in place of LATCHKEY_TOKEN."),
    VALUE(WORD, "company", "COMPANY-ID", "Acts for another company, as an operator may."),
    VALUE(DURATION, "timeout", "TIME", "How long a call may take, such as 5s."),
    FLAG("wait-for-ready", "Waits for a server that can't be reached yet, as long as the call may take."),
    CHOICE("tls", "WHEN", "Speaks TLS; auto is with https:// or one of the next options.",
           transport_tls_choices),
    VALUE(WORD, "tls-ca", "FILE", "Who vouches for the server, in place of the system's authorities."),
    VALUE(WORD, "tls-certificate", "FILE", "Your certificate, for a server that asks for one."),
    VALUE(WORD, "tls-key", "FILE", "The key of your certificate."),
    VALUE(WORD, "tls-server-name", "NAME", "Whom the server's certificate must name, in place of its host."),
    FLAG("allow-plaintext", "Calls another machine without TLS, although secrets then travel in clear."),
    FLAG("help", "Says what the command does."),
    FLAG("version", "Prints the version, in place of a command."),
};
const struct option_table command_common_options = TABLE(common_options);

static const struct command_list *const lists[] = {
    &setup_commands,      &company_commands, &member_commands, &role_commands,
    &invitation_commands, &token_commands,   &login_commands,  &whitelist_commands,
    &draft_commands,      &audit_commands,   &plain_commands,
};

size_t command_get_count(void) {
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(lists); i++)
        count += lists[i]->count;
    return count;
}

const struct command *command_get(size_t index) {
    size_t i = 0;
    while (index >= lists[i]->count)
        index -= lists[i++]->count;
    return &lists[i]->commands[index];
}
