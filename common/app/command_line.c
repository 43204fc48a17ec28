#include "common/app/command_line.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/app/exit_status.h"
#include "common/app/http_rpc.h"
#include "common/app/http_settings.h"
#include "common/app/mail_settings.h"
#include "common/app/mailer.h"
#include "common/app/manual.h"
#include "common/app/method_list.h"
#include "common/app/tls_settings.h"
#include "common/base/config.h"
#include "common/grpc/http2_library.h"
#include "common/net/listener.h"

enum {
    ROWS_MAX = 64,
    TABLES_MAX = APP_SERVICES_MAX + 5, // and server, TLS, transport, HTTP, mail
    SENTENCE_MAX = 1024,
};

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
        "usage: %s [SETTING...] [--check-config]\n       %s --help | --version | methods | manual\n       %s [SETTING...] ready\n\n%s\n\n"
        "A setting is --name VALUE, LATCHKEY_NAME in the environment, or a line `name = VALUE` of a file; the first\n"
        "that says it wins. --check-config says everything that is wrong with them, and with the files that they\n"
        "name, and does nothing else. `methods` prints what is served, and which permission each method needs;\n"
        "`manual` the manual page, which `%s manual | man -l -` shows. `ready` asks the server that runs here with\n"
        "these settings whether it is ready.\n",
        program->name, program->name, program->name, program->summary, program->name);
    printf("\nExit codes:\n");
#define ROW(name, number, text) printf("  %-3d %s\n", number, text);
    EXIT_STATUS_TABLE(ROW)
#undef ROW
    putchar('\n');
    config_print_help(tables->list, tables->count, stdout);
}

// What is left of the line when the settings are out of it.
static enum command_line answer(const struct app_program *program, const struct tables *tables,
                                const char *argument, struct sentences mistakes) {
    if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0)
        print_help(program, tables);
    else if (strcmp(argument, "--version") == 0)
        printf("%s %s, %s\n", program->name, LATCHKEY_VERSION, http2_library_get_text());
    else if (strcmp(argument, "methods") == 0)
        method_list_print(program, stdout);
    else if (strcmp(argument, "manual") == 0)
        manual_print(program, tables->list, tables->count, stdout);
    else if (strcmp(argument, "ready") == 0)
        return COMMAND_LINE_READY;
    else
        return sentences_add(mistakes, "unknown argument \"%s\"; settings are --name VALUE, see --help",
                             argument),
               COMMAND_LINE_WRONG;
    return COMMAND_LINE_ANSWERED;
}

static bool is_exposed(const char *address) {
    return address && !listener_address_is_local(address);
}

static void explain_exposed(const char *address, const char *advice, struct sentences mistakes) {
    sentences_add(
        mistakes,
        "%s can be reached from other machines, and without TLS everybody on the way reads the tokens; "
        "%slisten on 127.0.0.1, or say --allow-plaintext where something in front encrypts",
        address, advice);
}

// HTTP/1.1 knows no TLS.
static void explain_exposed_site(const struct http_site *site, struct sentences mistakes) {
    const char *listen = site ? http_site_find_listen(site) : NULL;
    if (is_exposed(listen))
        explain_exposed(listen, "", mistakes);
}

// What no single setting can say.
static void complete(const struct app_program *program, struct app_settings *settings,
                     struct sentences mistakes) {
    char sentence[SENTENCE_MAX];
    if (program->complete)
        program->complete();
    app_settings_complete(settings);
    if (tls_settings_complete(sentence, sizeof(sentence)) != STATUS_OK)
        sentences_add(mistakes, "%s", sentence);
    if (settings->allow_plaintext)
        return;
    if (is_exposed(settings->listen) && !tls_settings.certificate)
        explain_exposed(settings->listen, "give --tls-certificate and --tls-key, ", mistakes);
    explain_exposed_site(&http_rpc_site, mistakes);
    for (size_t i = 0; i < program->service_count; i++)
        explain_exposed_site(program->services[i]->site, mistakes);
}

// Takes --check-config out of what is left of the line.
static bool take_check_config(int *argc, char **argv) {
    int kept = 0;
    for (int i = 0; i < *argc; i++)
        if (strcmp(argv[i], "--check-config") != 0)
            argv[kept++] = argv[i];
    bool is_there = kept < *argc;
    *argc = kept;
    return is_there;
}

enum command_line command_line_read(const struct app_program *program, int argc, char **argv,
                                    struct app_settings *ret_settings,
                                    struct grpc_server_settings *ret_transport, struct sentences mistakes) {
    struct tables tables = {.count = 0};
    gather_tables(&tables, program, ret_settings, ret_transport);
    enum status status =
        config_read(tables.list, tables.count, &argc, argv, environ, mistakes.text, mistakes.size);
    bool is_read = status == STATUS_OK;
    bool checks = take_check_config(&argc, argv);
    if (!is_read && !checks)
        return status == STATUS_INVALID ? COMMAND_LINE_WRONG : COMMAND_LINE_UNREAD;
    enum command_line outcome = checks ? COMMAND_LINE_CHECK : COMMAND_LINE_SERVE;
    if (is_read && argc > 1) // a word behind a setting that is not known may be its value
        outcome = answer(program, &tables, argv[1], mistakes);
    if (outcome == COMMAND_LINE_ANSWERED)
        return outcome;
    complete(program, ret_settings, mistakes);
    if (checks)
        return COMMAND_LINE_CHECK;
    if (outcome == COMMAND_LINE_READY) // what is wrong keeps the server from running, and it says so
        return outcome;
    return sentences_is_empty(mistakes) ? COMMAND_LINE_SERVE : COMMAND_LINE_WRONG;
}
