#include "common/app/command_line.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/app/http_settings.h"
#include "common/app/mail_settings.h"
#include "common/app/mailer.h"
#include "common/app/method_list.h"
#include "common/app/tls_settings.h"
#include "common/base/config.h"
#include "common/grpc/http2_library.h"
#include "common/net/listener.h"

enum { ROWS_MAX = 64, TABLES_MAX = APP_SERVICES_MAX + 5 }; // and server, TLS, transport, HTTP, mail

struct tables {
    struct setting rows[ROWS_MAX]; // app_setting_table with the program's own defaults
    struct config_table list[TABLES_MAX];
    size_t count;
};

static void gather_tables(struct tables *tables, const struct app_program *program,
                          struct app_settings *settings, struct grpc_server_settings *transport) {
    for (size_t i = 0; i < app_setting_count; i++) {
        tables->rows[i] = app_setting_table[i];
        if (strcmp(app_setting_table[i].name, "listen") == 0)
            tables->rows[i].default_value = program->listen;
        if (strcmp(app_setting_table[i].name, "admin-listen") == 0)
            tables->rows[i].default_value = program->admin_listen;
    }
    tables->list[tables->count++] =
        (struct config_table){"Server", tables->rows, app_setting_count, settings};
    tables->list[tables->count++] = tls_settings_get_table();
    tables->list[tables->count++] = grpc_server_settings_get_table(transport);
    tables->list[tables->count++] =
        (struct config_table){"HTTP/1.1", http_setting_table, http_setting_count, &http_settings};
    if (mailer_is_needed(program))
        tables->list[tables->count++] =
            (struct config_table){"Mail", mail_setting_table, mail_setting_count, &mail_settings};
    for (size_t i = 0; i < program->service_count; i++) {
        const struct app_service *service = program->services[i];
        if (service->setting_count > 0)
            tables->list[tables->count++] = (struct config_table){
                service->name, service->settings, service->setting_count, service->settings_base};
    }
}

static void print_help(const struct app_program *program, const struct tables *tables) {
    printf(
        "usage: %s [SETTING...]\n       %s --help | --version | methods\n\n%s\n\n"
        "A setting is --name VALUE, or LATCHKEY_NAME in the environment. `methods` prints what is served, and\n"
        "which permission each method needs.\n",
        program->name, program->name, program->summary);
    printf(
        "Exit codes: 0 stopped in order, 64 wrong usage, 69 a part can't be had (such as a port in use), 70 internal,\n"
        "76 the database has another schema or none, 77 the database refuses us.\n\n");
    config_print_help(tables->list, tables->count, stdout);
}

// What is left of the line when the settings are out of it.
static enum command_line answer(const struct app_program *program, const struct tables *tables,
                                const char *argument, char *ret_error, size_t error_size) {
    if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0)
        print_help(program, tables);
    else if (strcmp(argument, "--version") == 0)
        printf("%s %s, %s\n", program->name, LATCHKEY_VERSION, http2_library_get_text());
    else if (strcmp(argument, "methods") == 0)
        method_list_print(program, stdout);
    else
        return snprintf(ret_error, error_size,
                        "unknown argument \"%s\"; settings are --name VALUE, see --help", argument),
               COMMAND_LINE_WRONG;
    return COMMAND_LINE_ANSWERED;
}

static bool is_exposed(const char *address) {
    return address && !listener_address_is_local(address);
}

static enum command_line explain_exposed(const char *address, const char *advice, char *ret_error,
                                         size_t error_size) {
    snprintf(ret_error, error_size,
             "%s can be reached from other machines, and without TLS everybody on the way reads the tokens; "
             "%slisten on 127.0.0.1, or say --allow-plaintext where something in front encrypts",
             address, advice);
    return COMMAND_LINE_WRONG;
}

enum command_line command_line_read(const struct app_program *program, int argc, char **argv,
                                    struct app_settings *ret_settings,
                                    struct grpc_server_settings *ret_transport, char *ret_error,
                                    size_t error_size) {
    struct tables tables = {.count = 0};
    gather_tables(&tables, program, ret_settings, ret_transport);
    if (config_read(tables.list, tables.count, &argc, argv, environ, ret_error, error_size) != STATUS_OK)
        return COMMAND_LINE_WRONG;
    if (argc > 1)
        return answer(program, &tables, argv[1], ret_error, error_size);
    app_settings_complete(ret_settings);
    http_settings_complete(&http_settings);
    if (tls_settings_complete(ret_error, error_size) != STATUS_OK)
        return COMMAND_LINE_WRONG;
    if (ret_settings->allow_plaintext)
        return COMMAND_LINE_SERVE;
    if (is_exposed(ret_settings->listen) && !tls_settings.certificate)
        return explain_exposed(ret_settings->listen, "give --tls-certificate and --tls-key, ", ret_error,
                               error_size);
    if (is_exposed(http_settings.listen)) // which knows no TLS
        return explain_exposed(http_settings.listen, "", ret_error, error_size);
    return COMMAND_LINE_SERVE;
}
