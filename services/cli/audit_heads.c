#include "services/cli/audit_heads.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b) {
    const struct audit_head_line *left = a, *right = b;
    return (left->number > right->number) - (left->number < right->number);
}

static void add(struct cli *cli, struct audit_heads *heads, size_t *capacity,
                const struct audit_head_line *line) {
    if (heads->count == *capacity) {
        *capacity = *capacity ? 2 * *capacity : 256;
        struct audit_head_line *larger =
            cli_need(ARENA_NEW_ARRAY(&cli->arena, struct audit_head_line, *capacity));
        if (heads->count > 0)
            memcpy(larger, heads->lines, heads->count * sizeof(*larger));
        heads->lines = larger;
    }
    heads->lines[heads->count++] = *line;
}

static void read_lines(struct cli *cli, FILE *from, struct uuid company_id, struct audit_heads *heads) {
    char *text = NULL;
    size_t size = 0, capacity = 0;
    ssize_t length;
    while ((length = getline(&text, &size, from)) > 0) {
        struct audit_head_line line;
        if (text[length - 1] == '\n')
            length--;
        if (!audit_head_text_parse(bytes_of(text, (size_t)length), &line))
            heads->unread++;
        else if (uuid_is_equal(line.company_id, company_id))
            add(cli, heads, &capacity, &line);
    }
    free(text);
}

enum exit_code audit_heads_read(struct cli *cli, const char *path, struct uuid company_id,
                                struct audit_heads *ret_heads) {
    bool is_input = strcmp(path, "-") == 0;
    FILE *from = is_input ? cli->in : fopen(path, "re");
    if (!from)
        return cli_fail(cli, EXIT_CODE_USAGE, "can't read %s: %s", path, strerror(errno));
    *ret_heads = (struct audit_heads){0};
    errno = 0;
    read_lines(cli, from, company_id, ret_heads);
    int error = ferror(from) ? errno : 0;
    if (!is_input)
        fclose(from);
    if (error != 0)
        return cli_fail(cli, EXIT_CODE_USAGE, "can't read %s: %s", path, strerror(error));
    if (ret_heads->count > 0)
        qsort(ret_heads->lines, ret_heads->count, sizeof(*ret_heads->lines), compare);
    return EXIT_CODE_DONE;
}
