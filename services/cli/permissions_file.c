#include "services/cli/permissions_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/access/permission.h"

#define OWN_PREFIX BYTES_LITERAL("latchkey.")

static bool is_space(uint8_t c) {
    return c == ' ' || c == '\t' || c == '\r';
}

// The word before the first white space; leaves the rest, without white space around it.
static struct bytes split_word(struct bytes *rest) {
    size_t len = 0;
    while (len < rest->len && !is_space(rest->data[len]))
        len++;
    struct bytes word = bytes_of(rest->data, len);
    *rest = bytes_trim(bytes_of(rest->data + len, rest->len - len));
    return word;
}

static bool holds(struct bytes text, uint8_t byte) {
    return text.len > 0 && memchr(text.data, byte, text.len) != NULL;
}

static void check_line(struct fault *fault, size_t number, struct bytes name, struct bytes description) {
    const char *where = fault_path(fault, "line %zu", number);
    if (!bytes_is_utf8(name) || !bytes_is_utf8(description))
        fault_add_field(fault, where, "is not UTF-8");
    else if (holds(description, '\0'))
        fault_add_field(fault, where, "the description holds a NUL; leave it out");
    else if (!permission_is_valid(name))
        fault_add_field(fault, where,
                        "\"%.*s\" is no permission: type words of a-z, 0-9 and _ that begin with a letter, "
                        "joined by dots, such as charges.create",
                        BYTES_FORMAT(name));
    else if (bytes_has_prefix(name, OWN_PREFIX))
        fault_add_field(fault, where, "permissions that begin with latchkey. are always there; leave it out");
    else if (bytes_count_code_points(description) > PERMISSIONS_FILE_DESCRIPTION_MAX)
        fault_add_field(fault, where, "the description has more than %d characters",
                        PERMISSIONS_FILE_DESCRIPTION_MAX);
}

static int compare_names(const void *a, const void *b) {
    const struct bytes *left = a, *right = b;
    size_t shorter = left->len < right->len ? left->len : right->len;
    int order = memcmp(left->data, right->data, shorter);
    return order != 0 ? order : (left->len > right->len) - (left->len < right->len);
}

static void check_repetitions(struct fault *fault, const struct permissions_file *file,
                              struct bytes *sorted) {
    memcpy(sorted, file->names, file->count * sizeof(*sorted));
    qsort(sorted, file->count, sizeof(*sorted), compare_names);
    for (size_t i = 1; i < file->count; i++)
        if (bytes_is_equal(sorted[i - 1], sorted[i]))
            fault_add_field(fault, "names", "%.*s stands there twice", BYTES_FORMAT(sorted[i]));
}

static size_t count_lines(struct bytes text) {
    size_t count = 1;
    for (size_t i = 0; i < text.len; i++)
        count += text.data[i] == '\n';
    return count;
}

enum status permissions_file_parse(struct bytes text, struct arena *arena, struct fault *fault,
                                   struct permissions_file *ret_file) {
    size_t line_count = count_lines(text);
    struct permissions_file file = {.names = ARENA_NEW_ARRAY(arena, struct bytes, line_count),
                                    .descriptions = ARENA_NEW_ARRAY(arena, struct bytes, line_count)};
    struct bytes *sorted = ARENA_NEW_ARRAY(arena, struct bytes, line_count);
    if (!file.names || !file.descriptions || !sorted)
        return fault_set(fault, STATUS_NO_MEMORY, NULL, "out of memory");
    for (size_t number = 1; text.data; number++) {
        struct bytes line = bytes_trim(bytes_split(&text, '\n'));
        while (line.len > 0 && is_space(line.data[line.len - 1]))
            line.len--;
        if (line.len == 0 || line.data[0] == '#')
            continue;
        struct bytes name = split_word(&line);
        check_line(fault, number, name, line);
        file.names[file.count] = name;
        file.descriptions[file.count++] = line;
    }
    if (file.count > PERMISSIONS_FILE_LINES_MAX)
        fault_add_field(fault, "names", "there are %zu, and %d is the most", file.count,
                        PERMISSIONS_FILE_LINES_MAX);
    check_repetitions(fault, &file, sorted);
    *ret_file = file;
    return fault->status;
}

static enum exit_code fail_to_read(struct cli *cli, const char *path, const char *why) {
    return cli_fail(cli, EXIT_CODE_USAGE, "can't read %s: %s", path, why);
}

static enum exit_code read_text(struct cli *cli, const char *path, struct bytes *ret_text) {
    bool is_input = strcmp(path, "-") == 0;
    FILE *from = is_input ? cli->in : fopen(path, "re");
    if (!from)
        return fail_to_read(cli, path, strerror(errno));
    uint8_t *text = cli_need(arena_allocate(&cli->arena, PERMISSIONS_FILE_BYTES_MAX + 1));
    size_t len = fread(text, 1, PERMISSIONS_FILE_BYTES_MAX + 1, from);
    int error = ferror(from) ? errno : 0;
    if (!is_input)
        fclose(from);
    if (error != 0)
        return fail_to_read(cli, path, strerror(error));
    if (len > PERMISSIONS_FILE_BYTES_MAX)
        return fail_to_read(cli, path, "it is larger than 8 MiB");
    *ret_text = bytes_of(text, len);
    return EXIT_CODE_DONE;
}

enum exit_code permissions_file_read(struct cli *cli, const char *path, struct permissions_file *ret_file) {
    struct bytes text;
    enum exit_code code = read_text(cli, path, &text);
    if (code != EXIT_CODE_DONE)
        return code;
    struct fault fault;
    fault_init(&fault, &cli->arena);
    if (permissions_file_parse(text, &cli->arena, &fault, ret_file) != STATUS_OK) {
        fault.message = cli_format(cli, "%s is no list of permissions", path);
        return cli_fail_with_fault(cli, &fault);
    }
    return EXIT_CODE_DONE;
}
