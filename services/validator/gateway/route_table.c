// A tree of path segments. A node has the segments that may follow, "*" apart from those that are written
// out, and two lists of rows by method: for the path that ends there, and for whatever goes on from there
// ("**"). It is made in an arena and never changed. A look-up that must turn back from a branch enters every
// node at most once, so the file's length bounds it whatever path a client makes up.
#include "services/validator/gateway/route_table.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/access/decision.h"
#include "common/access/permission.h"
#include "common/base/word_file.h"
#include "services/validator/decide/validate_question.h"
#include "services/validator/gateway/letter.h"
#include "services/validator/gateway/route_path.h"

struct row {
    struct row *next;
    struct bytes method; // empty = every one that no other row names
    size_t line;
    struct route route;
};

struct node {
    struct node *next; // of the same parent
    struct bytes text;
    struct node *written; // children
    struct node *any;     // the child "*"
    struct row *here, *below;
};

struct route_table {
    atomic_size_t holders;
    struct arena arena;
    struct node *root;
};

// ---- what is needed ----

static bool take_channel(struct bytes word, struct route *route) {
    struct bytes value = word, key = bytes_split(&value, '=');
    return bytes_is_text(key, "channel") && validate_question_parse_channel(value, &route->channel);
}

static bool copy_text(struct arena *arena, struct bytes *text) {
    const char *copy = arena_copy_bytes(arena, *text);
    text->data = (const uint8_t *)copy;
    return copy != NULL;
}

static enum status add_permission(struct bytes word, struct bytes *room, struct arena *arena,
                                  const struct word_file *file, struct route *route) {
    if (!permission_is_valid(word))
        return word_file_fail(file,
                              "\"%.*s\" is no permission: type names such as charges.create, or token, "
                              "channel=ui, channel=api; or public or deny alone",
                              BYTES_FORMAT(word));
    if (route->permission_count == VALIDATE_PERMISSIONS_MAX)
        return word_file_fail(file, "type at most %d permissions", VALIDATE_PERMISSIONS_MAX);
    if (!copy_text(arena, &word))
        return STATUS_NO_MEMORY;
    room[route->permission_count++] = word;
    return STATUS_OK;
}

static size_t count_words(struct bytes rest) {
    size_t count = 0;
    while (word_file_take(&rest).len > 0)
        count++;
    return count;
}

static enum status parse_needs(struct bytes rest, struct arena *arena, const struct word_file *file,
                               struct route *route) {
    size_t word_count = count_words(rest);
    struct bytes *permissions = ARENA_NEW_ARRAY(arena, struct bytes, word_count);
    enum status status = permissions ? STATUS_OK : STATUS_NO_MEMORY;
    bool has_access = false;
    for (struct bytes word; status == STATUS_OK && (word = word_file_take(&rest)).len > 0;) {
        bool stands_alone = bytes_is_text(word, "public") || bytes_is_text(word, "deny");
        if (stands_alone && word_count > 1)
            return word_file_fail(file, "public and deny stand alone");
        if (stands_alone)
            return route->access = word.data[0] == 'p' ? ROUTE_PUBLIC : ROUTE_DENY, STATUS_OK;
        if (take_channel(word, route))
            continue;
        has_access = true;
        if (!bytes_is_text(word, "token"))
            status = add_permission(word, permissions, arena, file, route);
    }
    route->access = ROUTE_TOKEN;
    route->permissions = permissions;
    if (status == STATUS_OK && !has_access)
        return word_file_fail(file, "say what is needed there: permissions, or token, public or deny");
    return status;
}

// ---- where ----

static struct node *find_written(const struct node *node, struct bytes text) {
    struct node *child = node->written;
    while (child && !bytes_is_equal(child->text, text))
        child = child->next;
    return child;
}

// The child for that segment, made if need be; NULL when out of memory.
static struct node *grow(struct arena *arena, struct node *node, struct bytes text) {
    bool is_any = bytes_is_text(text, "*");
    struct node *child = is_any ? node->any : find_written(node, text);
    if (child || !(child = ARENA_NEW(arena, struct node)))
        return child;
    child->text = text;
    if (is_any)
        return node->any = child;
    if (!copy_text(arena, &child->text))
        return NULL;
    child->next = node->written;
    return node->written = child;
}

static enum status check_segment(const struct route_segment *segment, const struct word_file *file) {
    if (segment->is_disguised)
        return word_file_fail(file, "the path encodes what need not be encoded: type it as it is");
    if (memchr(segment->text.data, '*', segment->text.len) && !bytes_is_text(segment->text, "*"))
        return word_file_fail(file, "* stands for a whole segment, and ** for all that follow, at the end");
    return STATUS_OK;
}

// *ret_rows is the list that a row for `path` belongs to.
static enum status find_rows(struct route_table *table, struct bytes text, const struct word_file *file,
                             struct row ***ret_rows) {
    struct route_path path;
    struct node *node = table->root;
    enum status status =
        memchr(text.data, '?', text.len) ? STATUS_MALFORMED : route_path_parse(text, &table->arena, &path);
    if (status == STATUS_MALFORMED)
        return word_file_fail(file, "type a path such as /charges, /charges/* or /charges/**, with neither a "
                                    "query nor ; \\ // . or .. in it, and at most 64 segments");
    if (status != STATUS_OK)
        return status;
    bool goes_on = path.count > 0 && bytes_is_text(path.segments[path.count - 1].text, "**");
    for (size_t i = 0; i < path.count - goes_on; i++) {
        if ((status = check_segment(&path.segments[i], file)) != STATUS_OK)
            return status;
        if (!(node = grow(&table->arena, node, path.segments[i].text)))
            return STATUS_NO_MEMORY;
    }
    *ret_rows = goes_on ? &node->below : &node->here;
    return STATUS_OK;
}

// ---- a line ----

static bool is_method(struct bytes text) {
    for (size_t i = 0; i < text.len; i++)
        if ((text.data[i] < 'A' || text.data[i] > 'Z') && text.data[i] != '-')
            return false;
    return text.len > 0;
}

static enum status add_row(struct route_table *table, struct row **rows, struct bytes method,
                           const struct route *route, const struct word_file *file) {
    struct row *row = ARENA_NEW(&table->arena, struct row);
    bool is_any = bytes_is_text(method, "*");
    if (!is_any && !is_method(method))
        return word_file_fail(file, "begin with methods such as GET or GET,POST in capitals, or with *");
    if (!row || !copy_text(&table->arena, &method))
        return STATUS_NO_MEMORY;
    *row = (struct row){
        .next = *rows, .method = is_any ? BYTES_EMPTY : method, .line = file->line, .route = *route};
    for (const struct row *other = *rows; other; other = other->next)
        if (bytes_is_equal(other->method, row->method))
            return word_file_fail(file, "the path stands on line %zu already, with the same method",
                                  other->line);
    *rows = row;
    return STATUS_OK;
}

static enum status parse_line(struct route_table *table, struct bytes line, const struct word_file *file) {
    struct bytes methods = word_file_take(&line), path = word_file_take(&line);
    struct route route = {0};
    struct row **rows;
    if (methods.len == 0 || methods.data[0] == '#')
        return STATUS_OK;
    enum status status = find_rows(table, path, file, &rows);
    if (status == STATUS_OK)
        status = parse_needs(line, &table->arena, file, &route);
    while (status == STATUS_OK && methods.data)
        status = add_row(table, rows, bytes_split(&methods, ','), &route, file);
    return status;
}

// ---- the whole ----

static enum status parse_all(struct route_table *table, struct bytes text, struct word_file *file) {
    enum status status = STATUS_OK;
    atomic_init(&table->holders, 1);
    arena_init(&table->arena, 0);
    if (!(table->root = ARENA_NEW(&table->arena, struct node)))
        return STATUS_NO_MEMORY;
    for (file->line = 1; text.data && status == STATUS_OK; file->line++)
        status = parse_line(table, bytes_split(&text, '\n'), file);
    return status;
}

enum status route_table_parse(struct bytes text, const char *name, struct route_table **ret_table,
                              char *ret_error, size_t error_size) {
    struct word_file file = {.name = name, .ret_error = ret_error, .error_size = error_size};
    struct route_table *table = calloc(1, sizeof(*table));
    enum status status = table ? parse_all(table, text, &file) : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        *ret_table = table;
    else
        route_table_release(table);
    if (status == STATUS_NO_MEMORY)
        snprintf(ret_error, error_size, "%s", status_get_text(status));
    return status;
}

enum status route_table_read(const char *path, struct route_table **ret_table, char *ret_error,
                             size_t error_size) {
    struct buffer text = {0};
    enum status status = word_file_read(path, &text, ret_error, error_size);
    if (status == STATUS_OK)
        status = route_table_parse(buffer_get_bytes(&text), path, ret_table, ret_error, error_size);
    buffer_fini(&text);
    return status;
}

struct route_table *route_table_hold(struct route_table *table) {
    if (table)
        atomic_fetch_add_explicit(&table->holders, 1, memory_order_relaxed);
    return table;
}

void route_table_release(struct route_table *table) {
    // acquire and release: what other holders have read is read before it is freed.
    if (!table || atomic_fetch_sub_explicit(&table->holders, 1, memory_order_acq_rel) > 1)
        return;
    arena_fini(&table->arena);
    free(table);
}

// ---- look-up ----

// With what many servers do not count as its own behind it: a format ("charges.json" is charges in Rails and
// older Spring), or the dots and spaces that Windows drops.
static bool begins_with(struct bytes segment, struct bytes written) {
    while (written.len > 0)
        if (!letter_may_be(letter_take(&segment), letter_take(&written)))
            return false;
    return segment.len == 0 || segment.data[0] == '.' || segment.data[0] == ' ';
}

// Whether a server that decodes more, or minds case less, might take the segment for one that is written.
static bool may_be_written(const struct node *node, const struct route_segment *segment) {
    for (const struct node *child = node->written; child; child = child->next)
        if (begins_with(segment->text, child->text))
            return true;
    return false;
}

static enum route_match walk(const struct node *node, const struct route_path *path, size_t depth,
                             const struct row **ret_rows) {
    if (depth < path->count) {
        const struct route_segment *segment = &path->segments[depth];
        const struct node *written = segment->is_disguised ? NULL : find_written(node, segment->text);
        enum route_match match = ROUTE_NONE;
        if (written)
            match = walk(written, path, depth + 1, ret_rows);
        else if (may_be_written(node, segment))
            return ROUTE_AMBIGUOUS;
        if (match == ROUTE_NONE && node->any)
            match = walk(node->any, path, depth + 1, ret_rows);
        if (match != ROUTE_NONE)
            return match;
    }
    *ret_rows = depth == path->count && node->here ? node->here : node->below;
    return *ret_rows ? ROUTE_FOUND : ROUTE_NONE;
}

static const struct row *find_method(const struct row *row, struct bytes method) {
    while (row && !bytes_is_equal(row->method, method))
        row = row->next;
    return row;
}

enum route_match route_table_find(const struct route_table *table, struct bytes method, struct bytes target,
                                  struct arena *arena, const struct route **ret_route) {
    struct route_path path;
    const struct row *rows;
    enum status status = route_path_parse(target, arena, &path);
    if (status != STATUS_OK)
        return status == STATUS_NO_MEMORY ? ROUTE_NO_MEMORY : ROUTE_AMBIGUOUS;
    enum route_match match = walk(table->root, &path, 0, &rows);
    // why not by "*": servers that mind no case (Django) take "get" for GET, which another line may name.
    if (match != ROUTE_FOUND || !is_method(method))
        return match != ROUTE_FOUND ? match : ROUTE_NO_METHOD;
    const struct row *row = find_method(rows, method);
    if (!row && bytes_is_text(method, "HEAD"))
        row = find_method(rows, BYTES_LITERAL("GET"));
    if (!row)
        row = find_method(rows, BYTES_EMPTY);
    if (!row)
        return ROUTE_NO_METHOD;
    *ret_route = &row->route;
    return ROUTE_FOUND;
}
