#include "services/cli/doctor_settings.h"

#include <assert.h>

#include "common/app/mail_settings.h"
#include "common/app/tls_settings.h"
#include "common/base/config.h"
#include "common/base/sentences.h"

enum { ROWS_MAX = 64, SENTENCES_MAX = 4096 };

#define THING "settings"
#define ADVICE "let the server itself say all that is wrong: run it with --check-config"

// Files hold the settings of all servers; those that matter here are of few tables.
static void copy_rows(struct setting rows[ROWS_MAX]) {
    assert(app_setting_count <= ROWS_MAX);
    for (size_t i = 0; i < app_setting_count; i++) {
        rows[i] = app_setting_table[i];
        rows[i].passes_unknown = rows[i].type == SETTING_FILES;
    }
}

static void tell_mistakes(struct doctor *doctor, const char *sentences) {
    for (struct bytes rest = bytes_of_text(sentences); rest.data;) {
        struct bytes sentence = bytes_split(&rest, '\n');
        doctor_tell(doctor, VERDICT_FAIL, THING, ADVICE, "%.*s", BYTES_FORMAT(sentence));
    }
}

void doctor_settings_read(struct doctor *doctor, struct app_settings *ret_settings) {
    struct cli *cli = doctor->cli;
    struct setting rows[ROWS_MAX];
    char error[SENTENCES_MAX];
    size_t file_count;
    const char **files = cli_need(options_get_list(&cli->options, "config", &cli->arena, &file_count));
    char **words = cli_need(ARENA_NEW_ARRAY(&cli->arena, char *, file_count + 2));
    int count = 0;
    words[count++] = NULL;
    for (size_t i = 0; i < file_count; i++)
        words[count++] = (char *)cli_format(cli, "--config=%s", files[i]);
    copy_rows(rows);
    const struct config_table tables[] = {
        {"Server", rows, app_setting_count, ret_settings},
        tls_settings_get_table(),
        {"Mail", mail_setting_table, mail_setting_count, &mail_settings},
    };
    enum status status =
        config_read(tables, ARRAY_LENGTH(tables), &count, words, cli->environment, error, sizeof(error));
    if (status == STATUS_OK)
        status = tls_settings_complete(error, sizeof(error));
    if (status != STATUS_OK)
        tell_mistakes(doctor, error);
    app_settings_complete(ret_settings);
}
