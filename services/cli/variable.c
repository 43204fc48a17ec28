#include "services/cli/variable.h"

#include "common/base/compiler.h"

const struct variable variables[] = {
    {"LATCHKEY_ADDRESS",
     "the server, host:port, https://host:port or unix:/PATH (127.0.0.1:7070); several are "
     "separated by commas"},
    {"LATCHKEY_TOKEN_ADDRESS, LATCHKEY_WHITELIST_ADDRESS, LATCHKEY_INVITATION_ADDRESS, "
     "LATCHKEY_VALIDATOR_ADDRESS",
     "one of the four servers, where each has an address of its own"},
    {"LATCHKEY_TOKEN", "your token"},
    {"LATCHKEY_TOKEN_FILE", "a file that holds it"},
    {"LATCHKEY_OPERATOR_TOKEN", "what --operator takes in place of it"},
    {"LATCHKEY_COMPANY", "the company to act for, for operators"},
    {"LATCHKEY_TLS, LATCHKEY_TLS_CA, LATCHKEY_TLS_SERVER_NAME, LATCHKEY_CLIENT_CERTIFICATE, "
     "LATCHKEY_CLIENT_KEY",
     "what --tls and the options after it say"},
    {"LATCHKEY_ALLOW_PLAINTEXT", "on: calls other machines without TLS"},
    {"LATCHKEY_VALIDATE_TOKEN", "the token that `validate` asks about"},
    {"LATCHKEY_DATABASE_URL, LATCHKEY_DATABASE_DIRECT_URL",
     "PostgreSQL, for what speaks to it itself, such as `migrate`"},
    {"LATCHKEY_LOG_LEVEL", "debug: shows statements that the database refused"},
};
const size_t variable_count = ARRAY_LENGTH(variables);
