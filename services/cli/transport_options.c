#include "services/cli/transport_options.h"

#include <stddef.h>
#include <string.h>

#include "common/base/bytes.h"

// why: a client's certificate has variables of other names than its options. LATCHKEY_TLS_CERTIFICATE and
// LATCHKEY_TLS_KEY are a server's own, which this program often shares an environment with.
static const struct {
    const char *option, *variable;
    size_t offset; // in struct grpc_client_tls
} files[] = {
    {"tls-ca", "LATCHKEY_TLS_CA", offsetof(struct grpc_client_tls, ca_file)},
    {"tls-certificate", "LATCHKEY_CLIENT_CERTIFICATE", offsetof(struct grpc_client_tls, certificate_file)},
    {"tls-key", "LATCHKEY_CLIENT_KEY", offsetof(struct grpc_client_tls, key_file)},
    {"tls-server-name", "LATCHKEY_TLS_SERVER_NAME", offsetof(struct grpc_client_tls, server_name)},
};

const char *const transport_tls_choices[] = {"auto", "on", "off", NULL};

enum tls_choice { TLS_AUTO, TLS_ON, TLS_OFF };

static const char *find(const struct cli *cli, const char *option, const char *variable) {
    const char *text = options_find_text(&cli->options, option);
    return text ? text : cli_get_variable(cli, variable);
}

// Whether any of them was given.
static bool read_texts(const struct cli *cli, struct grpc_client_tls *ret_tls) {
    bool is_any = false;
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++) {
        const char *text = find(cli, files[i].option, files[i].variable);
        memcpy((char *)ret_tls + files[i].offset, &text, sizeof(text));
        is_any |= text != NULL;
    }
    return is_any;
}

// False for a word that is no choice, which only the variable can hold.
static bool read_choice(const struct cli *cli, enum tls_choice *ret_choice) {
    const char *text = find(cli, "tls", "LATCHKEY_TLS");
    for (unsigned i = 0; transport_tls_choices[i]; i++) {
        if (text && strcmp(text, transport_tls_choices[i]) != 0)
            continue;
        *ret_choice = (enum tls_choice)i; // the first where nothing is said
        return true;
    }
    return false;
}

// As servers read the setting of this name.
static bool is_plaintext_allowed(const struct cli *cli) {
    static const char *const words[] = {"true", "yes", "on", "1"};
    const char *variable = cli_get_variable(cli, "LATCHKEY_ALLOW_PLAINTEXT");
    for (size_t i = 0; variable && i < ARRAY_LENGTH(words); i++)
        if (strcmp(variable, words[i]) == 0)
            return true;
    return options_has(&cli->options, "allow-plaintext");
}

enum exit_code transport_options_read(struct cli *cli, const char *address,
                                      struct transport_options *ret_options) {
    struct transport_options read = {.allow_plaintext = is_plaintext_allowed(cli)};
    enum tls_choice choice;
    bool is_any = read_texts(cli, &read.tls);
    if (!read_choice(cli, &choice))
        return cli_fail(cli, EXIT_CODE_USAGE, "LATCHKEY_TLS is \"%s\"; set it to auto, on or off",
                        cli_get_variable(cli, "LATCHKEY_TLS"));
    if (!read.tls.certificate_file != !read.tls.key_file)
        return cli_fail(cli, EXIT_CODE_USAGE,
                        "a client's certificate goes with its key: give --tls-certificate and --tls-key, or "
                        "LATCHKEY_CLIENT_CERTIFICATE and LATCHKEY_CLIENT_KEY");
    if (choice == TLS_OFF && bytes_has_prefix(bytes_of_text(address), BYTES_LITERAL("https://")))
        return cli_fail(cli, EXIT_CODE_USAGE, "%s is with TLS, and TLS is switched off", address);
    read.is_tls = choice == TLS_ON || (choice == TLS_AUTO && is_any);
    *ret_options = read;
    return EXIT_CODE_DONE;
}
