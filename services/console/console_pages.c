#include "services/console/console_pages.h"

#include <ctype.h>
#include <stdlib.h>

#include "common/base/buffer.h"
#include "common/grpc/compression.h"
#include "services/console/console_files.h"
#include "services/console/console_guard.h"

#define INDEX "/index.html"
#define FOR_EVER "public, max-age=31536000, immutable"

enum { HASH_LENGTH = 8 };

// One for each file, made by start().
static struct buffer *compressed;

static const char *find_type(struct bytes path) {
    static const struct {
        struct bytes ending;
        const char *type;
    } types[] = {
        {BYTES_LITERAL("html"), "text/html; charset=utf-8"},
        {BYTES_LITERAL("js"), "text/javascript; charset=utf-8"},
        {BYTES_LITERAL("css"), "text/css; charset=utf-8"},
        {BYTES_LITERAL("svg"), "image/svg+xml"},
        {BYTES_LITERAL("png"), "image/png"},
        {BYTES_LITERAL("ico"), "image/x-icon"},
        {BYTES_LITERAL("json"), "application/json"},
        {BYTES_LITERAL("webmanifest"), "application/manifest+json"},
        {BYTES_LITERAL("txt"), "text/plain; charset=utf-8"},
    };
    while (path.data && memchr(path.data, '.', path.len))
        bytes_split(&path, '.');
    for (size_t i = 0; i < ARRAY_LENGTH(types); i++)
        if (bytes_is_equal(path, types[i].ending))
            return types[i].type;
    return "application/octet-stream";
}

// "/app-4QK7ZT2M.js"
static bool has_hash(const char *path) {
    const char *hyphen = strrchr(path, '-');
    size_t len = 0;
    while (hyphen && (isupper((unsigned char)hyphen[1 + len]) || isdigit((unsigned char)hyphen[1 + len])))
        len++;
    return len == HASH_LENGTH && hyphen[1 + len] == '.';
}

static bool is_page(struct bytes path) {
    return !memchr(path.data, '.', path.len) && !bytes_has_prefix(path, BYTES_LITERAL("/latchkey."));
}

// As many as console_file_count where there is none.
static size_t find_file(struct bytes path) {
    size_t i = 0;
    while (i < console_file_count && !bytes_is_text(path, console_files[i].path))
        i++;
    return i;
}

static bool takes_gzip(const struct http_request *request) {
    struct bytes rest = http_request_find_only(request, "accept-encoding");
    while (rest.data) {
        struct bytes parameters = bytes_split(&rest, ',');
        struct bytes name = bytes_trim(bytes_split(&parameters, ';'));
        if (bytes_is_text(name, "gzip"))
            return !bytes_is_text(bytes_trim(parameters), "q=0");
    }
    return false;
}

static void serve(const struct http_request *request, size_t i, struct http_answer *answer) {
    const struct console_file *file = &console_files[i];
    bool is_small = compressed[i].len < file->len;
    bool is_packed = is_small && takes_gzip(request);
    answer->status = 200;
    answer->body = is_packed ? buffer_get_bytes(&compressed[i]) : bytes_of(file->data, file->len);
    answer->cache_control = has_hash(file->path) ? FOR_EVER : NULL;
    http_answer_add(request, answer, "content-type", bytes_of_text(find_type(bytes_of_text(file->path))));
    if (is_small)
        http_answer_add(request, answer, "vary", BYTES_LITERAL("accept-encoding"));
    if (is_packed)
        http_answer_add(request, answer, "content-encoding", BYTES_LITERAL("gzip"));
}

static bool ask(const struct http_request *request, struct local_request *call, struct http_answer *answer) {
    (void)call;
    if (!console_guard_admits_reading(request, answer))
        return false;
    size_t i = find_file(request->path);
    if (i == console_file_count && is_page(request->path))
        i = find_file(BYTES_LITERAL(INDEX));
    if (i < console_file_count)
        serve(request, i, answer);
    else
        http_answer_refuse(request, answer, 404, "not_found", "there is no such file");
    return false;
}

const struct http_route console_pages_route = {.name = "pages", .methods = "GET, HEAD", .ask = ask};

bool console_pages_are_there(void) {
    return find_file(BYTES_LITERAL(INDEX)) < console_file_count;
}

enum status console_pages_start(void) {
    struct compression compression = {0};
    compressed = calloc(console_file_count + 1, sizeof(*compressed));
    enum status status = compressed ? STATUS_OK : STATUS_NO_MEMORY;
    for (size_t i = 0; status == STATUS_OK && i < console_file_count; i++)
        status = compression_deflate(&compression, bytes_of(console_files[i].data, console_files[i].len),
                                     &compressed[i]);
    compression_fini(&compression);
    return status;
}

void console_pages_stop(void) {
    for (size_t i = 0; compressed && i < console_file_count; i++)
        buffer_fini(&compressed[i]);
    free(compressed);
    compressed = NULL;
}
