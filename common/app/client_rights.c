// Looked up by binary search, once for each connection and table: the answer is noted in the identity, with
// the version of the table that it came from. Versions begin at 1, so a new identity has none.
#include "common/app/client_rights.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buffer.h"

struct entry {
    char *name;
    size_t line;
    uint32_t bits;
};

struct client_rights {
    size_t count;
    struct entry *entries; // sorted by name
};

static const char *const right_names[] = {
#define CLIENT_RIGHT_NAME(name, text) text,
    CLIENT_RIGHT_TABLE(CLIENT_RIGHT_NAME)
#undef CLIENT_RIGHT_NAME
};

// ---- one line ----

struct place {
    const char *file;
    size_t line;
    char *ret_error;
    size_t error_size;
};

static enum status PRINTF_LIKE(2, 3) fail(const struct place *place, const char *format, ...) {
    char sentence[256];
    va_list values;
    va_start(values, format);
    vsnprintf(sentence, sizeof(sentence), format, values);
    va_end(values);
    snprintf(place->ret_error, place->error_size, "%s:%zu: %s", place->file, place->line, sentence);
    return STATUS_INVALID;
}

static bool is_space(uint8_t c) {
    return c == ' ' || c == '\t' || c == '\r';
}

// The word before the first white space; leaves the rest, without white space around it.
static struct bytes take_word(struct bytes *rest) {
    size_t begin = 0;
    while (begin < rest->len && is_space(rest->data[begin]))
        begin++;
    size_t end = begin;
    while (end < rest->len && !is_space(rest->data[end]))
        end++;
    struct bytes word = bytes_of(rest->data + begin, end - begin);
    *rest = bytes_of(rest->data + end, rest->len - end);
    return word;
}

static uint32_t find_right(struct bytes word) {
    for (size_t i = 0; i < ARRAY_LENGTH(right_names); i++)
        if (bytes_is_text(word, right_names[i]))
            return 1u << i;
    return 0;
}

static enum status parse_rights(struct bytes rest, const struct place *place, uint32_t *ret_bits) {
    uint32_t bits = 0;
    for (struct bytes word; (word = take_word(&rest)).len > 0;) {
        uint32_t bit = find_right(word);
        if (bit == 0)
            return fail(place, "a certificate can hold latchkey.validate.any, .detail, .explain and .watch, "
                               "and nothing else");
        bits |= bit;
    }
    if (bits == 0)
        return fail(place, "say what the name holds, such as latchkey.validate.any");
    *ret_bits = bits;
    return STATUS_OK;
}

static enum status add(struct client_rights *rights, struct bytes name, uint32_t bits, size_t line) {
    struct entry *grown = realloc(rights->entries, (rights->count + 1) * sizeof(*grown));
    if (!grown)
        return STATUS_NO_MEMORY;
    rights->entries = grown;
    char *copy = malloc(name.len + 1);
    if (!copy)
        return STATUS_NO_MEMORY;
    memcpy(copy, name.data, name.len);
    copy[name.len] = '\0';
    grown[rights->count++] = (struct entry){.name = copy, .line = line, .bits = bits};
    return STATUS_OK;
}

static enum status parse_line(struct client_rights *rights, struct bytes line, const struct place *place) {
    struct bytes name = take_word(&line);
    uint32_t bits = 0;
    if (name.len == 0 || name.data[0] == '#')
        return STATUS_OK;
    if (!tls_identity_has_form(name))
        return fail(place, "begin with a name such as spiffe://cluster/ns/gateway/sa/envoy, or "
                           "dns:gateway.example.com in lower case");
    enum status status = parse_rights(line, place, &bits);
    return status == STATUS_OK ? add(rights, name, bits, place->line) : status;
}

// ---- the whole ----

static int compare(const void *a, const void *b) {
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static enum status sort(struct client_rights *rights, struct place *place) {
    if (rights->count > 0)
        qsort(rights->entries, rights->count, sizeof(*rights->entries), compare);
    for (size_t i = 1; i < rights->count; i++) {
        const struct entry *one = &rights->entries[i - 1], *other = &rights->entries[i];
        if (compare(one, other) != 0)
            continue;
        size_t first = one->line < other->line ? one->line : other->line;
        place->line = one->line + other->line - first;
        return fail(place, "the name stands on line %zu already", first);
    }
    return STATUS_OK;
}

static enum status parse_all(struct client_rights *rights, struct bytes text, struct place *place) {
    enum status status = STATUS_OK;
    for (place->line = 1; text.data && status == STATUS_OK; place->line++)
        status = parse_line(rights, bytes_split(&text, '\n'), place);
    return status == STATUS_OK ? sort(rights, place) : status;
}

enum status client_rights_parse(struct bytes text, const char *name, struct client_rights **ret_rights,
                                char *ret_error, size_t error_size) {
    struct place place = {.file = name, .ret_error = ret_error, .error_size = error_size};
    struct client_rights *rights = calloc(1, sizeof(*rights));
    enum status status = rights ? parse_all(rights, text, &place) : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        *ret_rights = rights;
    else
        client_rights_free(rights);
    if (status == STATUS_NO_MEMORY)
        snprintf(ret_error, error_size, "%s", status_get_text(status));
    return status;
}

static bool read_text(FILE *from, struct buffer *text) {
    uint8_t *to = buffer_reserve(text, CLIENT_RIGHTS_BYTES_MAX);
    size_t len = to ? fread(to, 1, CLIENT_RIGHTS_BYTES_MAX, from) : 0;
    buffer_advance(text, len);
    return to && !ferror(from) && len < CLIENT_RIGHTS_BYTES_MAX;
}

enum status client_rights_read(const char *path, struct client_rights **ret_rights, char *ret_error,
                               size_t error_size) {
    FILE *from = fopen(path, "re");
    struct buffer text = {0};
    enum status status = STATUS_INVALID;
    if (from && read_text(from, &text))
        status = client_rights_parse(buffer_get_bytes(&text), path, ret_rights, ret_error, error_size);
    else
        snprintf(ret_error, error_size, "%s %s", path,
                 from || errno != ENOENT ? "can't be read, or is larger than 4 MiB" : "is not there");
    if (from)
        fclose(from);
    buffer_fini(&text);
    return status;
}

void client_rights_free(struct client_rights *rights) {
    if (!rights)
        return;
    for (size_t i = 0; i < rights->count; i++)
        free(rights->entries[i].name);
    free(rights->entries);
    free(rights);
}

uint32_t client_rights_find(const struct client_rights *rights, const struct tls_identity *identity) {
    uint32_t bits = 0;
    if (!identity || !rights || rights->count == 0)
        return 0;
    for (size_t i = 0; i < identity->count; i++) {
        const struct entry wanted = {.name = (char *)identity->names[i]};
        const struct entry *found = bsearch(&wanted, rights->entries, rights->count, sizeof(wanted), compare);
        bits |= found ? found->bits : 0;
    }
    return bits;
}

// ---- the table in use ----

static struct {
    pthread_mutex_t mutex;
    struct client_rights *table; // under `mutex`
    _Atomic uint64_t version;    // moved on under `mutex`, with the table
} in_use = {.mutex = PTHREAD_MUTEX_INITIALIZER, .version = 1};

void client_rights_publish(struct client_rights *rights) {
    pthread_mutex_lock(&in_use.mutex);
    struct client_rights *before = in_use.table;
    in_use.table = rights;
    atomic_fetch_add_explicit(&in_use.version, 1, memory_order_release);
    pthread_mutex_unlock(&in_use.mutex);
    client_rights_free(before);
}

static void look_up(struct tls_identity *identity) {
    pthread_mutex_lock(&in_use.mutex);
    identity->memo.version = atomic_load_explicit(&in_use.version, memory_order_relaxed);
    identity->memo.bits = client_rights_find(in_use.table, identity);
    pthread_mutex_unlock(&in_use.mutex);
}

uint32_t client_rights_get(struct tls_identity *identity) {
    if (!identity)
        return 0;
    // acquire: pairs with the release in client_rights_publish().
    if (identity->memo.version != atomic_load_explicit(&in_use.version, memory_order_acquire))
        look_up(identity);
    return identity->memo.bits;
}
