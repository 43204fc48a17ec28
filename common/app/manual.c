#include "common/app/manual.h"

#include <ctype.h>
#include <string.h>

#include "common/app/exit_status.h"
#include "common/base/roff.h"

static void print_title(const char *name, FILE *to) {
    fputs(".Dd " LATCHKEY_RELEASED "\n.Dt ", to);
    for (; *name; name++)
        fputc(toupper((unsigned char)*name), to);
    fputs(" 8\n.Os\n", to);
}

// The summary as no sentence of its own.
static void print_name(const struct app_program *program, FILE *to) {
    fprintf(to, ".Sh NAME\n.Nm %s\n.Nd", program->name);
    char summary[200];
    snprintf(summary, sizeof(summary), "%s", program->summary);
    summary[strcspn(summary, ".")] = '\0';
    summary[0] = (char)tolower((unsigned char)summary[0]);
    roff_print_words(to, summary);
    fputc('\n', to);
}

static void print_exit_statuses(FILE *to) {
    fputs(".Sh EXIT STATUS\n.Bl -tag -width Ds\n", to);
#define ROW(name, number, text)      \
    fprintf(to, ".It %d\n", number); \
    roff_print_text(to, text);
    EXIT_STATUS_TABLE(ROW)
#undef ROW
    fputs(".El\n", to);
}

void manual_print(const struct app_program *program, const struct config_table *tables, size_t table_count,
                  FILE *to) {
    print_title(program->name, to);
    print_name(program, to);
    fputs(".Sh SYNOPSIS\n"
          ".Nm\n"
          ".Op Fl \\-check\\-config\n"
          ".Op Fl \\-SETTING Ar VALUE ...\n"
          ".Nm\n"
          ".Fl \\-help | Fl \\-version | Cm methods | Cm manual\n"
          ".Nm\n"
          ".Op Fl \\-SETTING Ar VALUE ...\n"
          ".Cm ready\n"
          ".Sh DESCRIPTION\n",
          to);
    roff_print_text(to, program->summary);
    roff_print_help(
        to,
        "A setting is --name VALUE on the command line, LATCHKEY_NAME in the environment, or a line name = VALUE of\n"
        "a file that --config names. The first of these that says it wins.\n"
        "\n"
        "--check-config says everything that is wrong with the settings, and with the files that they name, and does\n"
        "nothing else: no port is opened and no database is asked. methods prints what is served, and which permission\n"
        "each method needs. manual prints this page. ready asks the server that runs here with these settings\n"
        "whether it is ready, as health checks of containers do, and prints what it is not ready for.\n"
        "\n"
        "SIGTERM and SIGINT end the server in order. SIGHUP reads the files of certificates and routes again. Where\n"
        "NOTIFY_SOCKET is set, as by systemd, the server says there that it is ready, and that it stops.");
    fputs(".Sh SETTINGS\n", to);
    config_print_manual(tables, table_count, to);
    fputs(".Sh FILES\n"
          ".Bl -tag -width Ds\n"
          ".It Pa /etc/latchkey/latchkey.conf\n"
          "Settings of every server, as the package's units read them.\n",
          to);
    fprintf(to, ".It Pa /etc/latchkey/%s.conf\nSettings of this one.\n.El\n", program->name);
    print_exit_statuses(to);
}
