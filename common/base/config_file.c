#include "common/base/config_file.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/word_file.h"

struct config_file {
    struct config_file *next;
    struct buffer text; // and a NUL; what follows a value that was read becomes one, too
    struct bytes rest;  // what is not read yet
    size_t line;        // of what was read last
};

enum status config_file_read(const char *path, struct config_file **files, char *ret_error,
                             size_t error_size) {
    struct config_file *file = calloc(1, sizeof(*file));
    if (!file)
        return STATUS_NO_MEMORY;
    file->next = *files;
    *files = file;
    enum status status = word_file_read(path, &file->text, ret_error, error_size);
    if (status != STATUS_OK)
        return status;
    size_t len = file->text.len;
    buffer_append_byte(&file->text, '\0');
    file->rest = bytes_of(file->text.data, len);
    return file->text.failed ? STATUS_NO_MEMORY : STATUS_OK;
}

void config_files_free(struct config_file *files) {
    while (files) {
        struct config_file *next = files->next;
        buffer_fini(&files->text);
        free(files);
        files = next;
    }
}

static const char *end_text(struct config_file *file, struct bytes text) {
    size_t begin = (size_t)(text.data - file->text.data);
    file->text.data[begin + text.len] = '\0';
    return (const char *)file->text.data + begin;
}

static bool has_control(struct bytes text) {
    for (size_t i = 0; i < text.len; i++)
        if ((text.data[i] < ' ' && text.data[i] != '\t') || text.data[i] == 0x7F)
            return true;
    return false;
}

static struct config_line parse(struct config_file *file, struct bytes text) {
    struct config_line line = {.number = file->line};
    struct bytes value = text;
    line.name = bytes_trim(bytes_split(&value, '='));
    value = bytes_trim(value);
    if (has_control(text))
        line.mistake = "it holds a control character; lines end with a line feed alone";
    else if (line.name.len == 0 || !memchr(text.data, '=', text.len))
        line.mistake = "type NAME = VALUE, such as workers = 8, or # in front of a comment";
    else
        line.value = value.len > 0 ? end_text(file, value) : "";
    return line;
}

bool config_file_next(struct config_file *file, struct config_line *ret_line) {
    while (file->rest.len > 0) {
        struct bytes text = bytes_trim(bytes_split(&file->rest, '\n'));
        file->line++;
        if (text.len == 0 || text.data[0] == '#')
            continue;
        *ret_line = parse(file, text);
        return true;
    }
    return false;
}
