#include "services/cli/record_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BUFFER_BYTES (64 << 10)
#define RECORD_BYTES_MAX (1 << 20) // what is longer is no record that a server would take

static enum exit_code fail(struct cli *cli, const char *path, const char *why) {
    return cli_fail(cli, EXIT_CODE_USAGE, "can't read %s: %s", path, why);
}

static bool is_plain(FILE *file) {
    struct stat about;
    return fstat(fileno(file), &about) == 0 && S_ISREG(about.st_mode);
}

// Copies what comes to a temporary file; NULL with errno if that failed.
static FILE *keep(FILE *from) {
    static char piece[BUFFER_BYTES];
    FILE *to = tmpfile();
    size_t len;
    while (to && (len = fread(piece, 1, sizeof(piece), from)) > 0) {
        if (fwrite(piece, 1, len, to) == len)
            continue;
        fclose(to);
        return NULL;
    }
    if (!to || !ferror(from))
        return to;
    fclose(to);
    return NULL;
}

static FILE *open_plain(struct cli *cli, const char *path) {
    bool is_input = strcmp(path, "-") == 0;
    FILE *from = is_input ? cli->in : fopen(path, "re");
    if (!from || is_plain(from))
        return from;
    FILE *kept = keep(from);
    int error = errno;
    if (!is_input)
        fclose(from);
    errno = error;
    return kept;
}

enum exit_code record_file_open(struct cli *cli, const char *path, const struct record_column *columns,
                                size_t column_count, size_t comment_column, struct record_file *ret_file) {
    FILE *from = open_plain(cli, path);
    if (!from)
        return fail(cli, path, strerror(errno));
    *ret_file = (struct record_file){.cli = cli, .path = path, .from = from};
    records_init(&ret_file->records, columns, column_count, comment_column);
    ret_file->buffer = cli_need(malloc(BUFFER_BYTES));
    ret_file->capacity = BUFFER_BYTES;
    return record_file_rewind(ret_file);
}

enum exit_code record_file_rewind(struct record_file *file) {
    const struct records *records = &file->records;
    if (fseek(file->from, 0, SEEK_SET) != 0)
        return fail(file->cli, file->path, strerror(errno));
    records_init(&file->records, records->columns, records->column_count, records->comment_column);
    file->rest = bytes_of(file->buffer, 0);
    file->is_last = false;
    return EXIT_CODE_DONE;
}

// Puts more bytes behind the rest.
static enum exit_code read_more(struct record_file *file) {
    size_t len = file->rest.len;
    if (len >= RECORD_BYTES_MAX)
        return cli_fail(file->cli, EXIT_CODE_USAGE,
                        "line %zu of %s goes on for more than a megabyte; is a double quote missing?",
                        file->records.line, file->path);
    memmove(file->buffer, file->rest.data, len);
    if (len > file->capacity / 2) {
        file->capacity *= 2;
        file->buffer = cli_need(realloc(file->buffer, file->capacity));
    }
    size_t more = fread(file->buffer + len, 1, file->capacity - len, file->from);
    if (more == 0 && ferror(file->from))
        return fail(file->cli, file->path, strerror(errno));
    file->rest = bytes_of(file->buffer, len + more);
    file->is_last = more == 0;
    return EXIT_CODE_DONE;
}

bool record_file_next(struct record_file *file, struct record *ret_record, enum exit_code *ret_code) {
    *ret_code = EXIT_CODE_DONE;
    for (;;) {
        enum records_result result =
            records_next(&file->records, &file->rest, file->is_last, &file->cli->arena, ret_record);
        if (result != RECORDS_MORE)
            return result == RECORDS_RECORD;
        *ret_code = read_more(file);
        if (*ret_code != EXIT_CODE_DONE)
            return false;
    }
}

void record_file_close(struct record_file *file) {
    free(file->buffer);
    if (file->from != file->cli->in)
        fclose(file->from);
}
