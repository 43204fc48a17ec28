/*
 * Runs a fuzz target over files and directories of files named on the command line, once each, in the order
 * of their names, so that what a fuzzer once found stays found in every build, also by compilers without
 * libFuzzer. An empty corpus is an error: a replay that fed nothing has shown nothing.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads from the start of a regular file; the buffer is exact so that AddressSanitizer sees any read past it.
 */
static uint8_t *read_file(const char *path, size_t size) {
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(size > 0 ? size : 1);
    if (file == NULL || data == NULL || fread(data, 1, size, file) != size) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    fclose(file);
    return data;
}

static int replay_file(const char *path, size_t size) {
    uint8_t *data = read_file(path, size);
    (void)LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 1;
}

static int replay_path(const char *path);

static int is_visible(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

static int replay_directory(const char *path) {
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, is_visible, alphasort);
    int inputs = 0;
    for (int i = 0; i < count; i++) {
        char *child = NULL;
        if (asprintf(&child, "%s/%s", path, entries[i]->d_name) < 0)
            abort();
        inputs += replay_path(child);
        free(child);
        free(entries[i]);
    }
    free(entries);
    return inputs;
}

static int replay_path(const char *path) {
    struct stat status;
    if (stat(path, &status) != 0) {
        perror(path);
        return 0;
    }
    if (S_ISDIR(status.st_mode))
        return replay_directory(path);
    return replay_file(path, (size_t)status.st_size);
}

/* First no input at all, which has no address either: so does libFuzzer. */
int main(int argc, char **argv) {
    int inputs = 0;
    (void)LLVMFuzzerTestOneInput(NULL, 0);
    for (int i = 1; i < argc; i++)
        inputs += replay_path(argv[i]);
    printf("%d inputs\n", inputs);
    return inputs > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
