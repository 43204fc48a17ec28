// Looked up by binary search, once for each connection and table: the answer is noted in the identity, with
// the version of the table that it came from. Versions begin at 1, so a new identity has none.
#include "common/app/client_rights.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/word_file.h"

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

static uint32_t find_right(struct bytes word) {
    for (size_t i = 0; i < ARRAY_LENGTH(right_names); i++)
        if (bytes_is_text(word, right_names[i]))
            return 1u << i;
    return 0;
}

static enum status parse_rights(struct bytes rest, const struct word_file *file, uint32_t *ret_bits) {
    uint32_t bits = 0;
    for (struct bytes word; (word = word_file_take(&rest)).len > 0;) {
        uint32_t bit = find_right(word);
        if (bit == 0)
            return word_file_fail(
                file, "a certificate can hold latchkey.validate.any, .detail, .explain and .watch, "
                      "and nothing else");
        bits |= bit;
    }
    if (bits == 0)
        return word_file_fail(file, "say what the name holds, such as latchkey.validate.any");
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

static enum status parse_line(struct client_rights *rights, struct bytes line, const struct word_file *file) {
    struct bytes name = word_file_take(&line);
    uint32_t bits = 0;
    if (name.len == 0 || name.data[0] == '#')
        return STATUS_OK;
    if (!tls_identity_has_form(name))
        return word_file_fail(file, "begin with a name such as spiffe://cluster/ns/gateway/sa/envoy, or "
                                    "dns:gateway.example.com in lower case");
    enum status status = parse_rights(line, file, &bits);
    return status == STATUS_OK ? add(rights, name, bits, file->line) : status;
}

// ---- the whole ----

static int compare(const void *a, const void *b) {
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static enum status sort(struct client_rights *rights, struct word_file *file) {
    if (rights->count > 0)
        qsort(rights->entries, rights->count, sizeof(*rights->entries), compare);
    for (size_t i = 1; i < rights->count; i++) {
        const struct entry *one = &rights->entries[i - 1], *other = &rights->entries[i];
        if (compare(one, other) != 0)
            continue;
        size_t first = one->line < other->line ? one->line : other->line;
        file->line = one->line + other->line - first;
        return word_file_fail(file, "the name stands on line %zu already", first);
    }
    return STATUS_OK;
}

static enum status parse_all(struct client_rights *rights, struct bytes text, struct word_file *file) {
    enum status status = STATUS_OK;
    for (file->line = 1; text.data && status == STATUS_OK; file->line++)
        status = parse_line(rights, bytes_split(&text, '\n'), file);
    return status == STATUS_OK ? sort(rights, file) : status;
}

enum status client_rights_parse(struct bytes text, const char *name, struct client_rights **ret_rights,
                                char *ret_error, size_t error_size) {
    struct word_file file = {.name = name, .ret_error = ret_error, .error_size = error_size};
    struct client_rights *rights = calloc(1, sizeof(*rights));
    enum status status = rights ? parse_all(rights, text, &file) : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        *ret_rights = rights;
    else
        client_rights_free(rights);
    if (status == STATUS_NO_MEMORY)
        snprintf(ret_error, error_size, "%s", status_get_text(status));
    return status;
}

enum status client_rights_read(const char *path, struct client_rights **ret_rights, char *ret_error,
                               size_t error_size) {
    struct buffer text = {0};
    enum status status = word_file_read(path, &text, ret_error, error_size);
    if (status == STATUS_OK)
        status = client_rights_parse(buffer_get_bytes(&text), path, ret_rights, ret_error, error_size);
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
