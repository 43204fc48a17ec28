#include "common/app/audit_diff.h"

#include <jansson.h>
#include <string.h>

#include "common/base/bytes.h"
#include "common/protobuf/field_layout.h"
#include "common/protobuf/json_heap.h"
#include "common/protobuf/message_json.h"

#define DUMP_FLAGS (JSON_COMPACT | JSON_SORT_KEYS)

// Longer lists are summed up: their length and the first few elements. Fewer where even that is too long.
static const size_t list_limits[] = {10, 3, 0};

// Longer texts are cut, in bytes; only where an object is too long otherwise.
enum { TEXT_MAX = 200 };

static const char *const personal_fields[] = {"client_ip", "display_name", "email",
                                              "issuer",    "subject",      "user_agent"};

// By their beginnings.
static const char *const left_out_fields[] = {"secret_", "last_used_", "last_hit_", "delivery_detail"};

static bool is_left_out(const char *key) {
    for (size_t i = 0; i < ARRAY_LENGTH(left_out_fields); i++)
        if (strncmp(key, left_out_fields[i], strlen(left_out_fields[i])) == 0)
            return true;
    return strcmp(key, "secret") == 0 || strcmp(key, "etag") == 0;
}

// ---- from a message to the fields that matter ----

// `json` is a message of that type, or a list of such. The keys of a map are no fields: whatever somebody
// calls them, they stay.
static void leave_out(json_t *json, const ProtobufCMessageDescriptor *type) {
    json_t *element;
    size_t i;
    json_array_foreach(json, i, element) leave_out(element, type);
    for (unsigned k = 0; k < type->n_fields && json_is_object(json); k++) {
        const ProtobufCFieldDescriptor *field = &type->fields[k];
        if (is_left_out(field->name))
            json_object_del(json, field->name);
        else if (field->type == PROTOBUF_C_TYPE_MESSAGE && !field_layout_is_map(field))
            leave_out(json_object_get(json, field->name), field->descriptor);
    }
}

static bool is_empty(const json_t *value) {
    const char *text = json_string_value(value), *none = "_UNSPECIFIED";
    if (text)
        return !*text ||
               (strlen(text) > strlen(none) && strcmp(text + strlen(text) - strlen(none), none) == 0);
    if (json_is_integer(value))
        return json_integer_value(value) == 0;
    if (json_is_array(value) || json_is_object(value))
        return json_array_size(value) == 0 && json_object_size(value) == 0;
    return json_is_false(value);
}

static void drop_empty(json_t *object) {
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe(object, next, key, value) {
        if (is_empty(value))
            json_object_del(object, key);
    }
}

static bool keep_differences(json_t *before, json_t *after, const ProtobufCMessageDescriptor *type);

// A field that only the other side has is null on this one.
static bool add_missing(json_t *object, json_t *other) {
    const char *key;
    json_t *value;
    json_object_foreach(other, key, value) {
        if (!json_object_get(object, key) && json_object_set_new(object, key, json_null()) != 0)
            return false;
    }
    return true;
}

// Objects of that type: of a message within both sides, too, only the fields that differ are left. A map is
// one value: which of its keys changed is seen from the whole.
static bool drop_equal(json_t *a, json_t *b, const ProtobufCMessageDescriptor *type) {
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe(a, next, key, value) {
        json_t *other = json_object_get(b, key);
        const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(type, key);
        bool is_message = field && field->type == PROTOBUF_C_TYPE_MESSAGE && !field_layout_is_map(field);
        if (json_equal(value, other)) {
            json_object_del(b, key);
            json_object_del(a, key);
        } else if (is_message && json_is_object(value) && json_is_object(other) &&
                   !keep_differences(value, other, field->descriptor)) {
            return false;
        }
    }
    return true;
}

// False when out of memory.
static bool keep_differences(json_t *before, json_t *after, const ProtobufCMessageDescriptor *type) {
    return add_missing(before, after) && add_missing(after, before) && drop_equal(before, after, type);
}

// ---- long lists ----

static char *dump_element(const json_t *element) {
    return json_dumps(element, DUMP_FLAGS | JSON_ENCODE_ANY);
}

// The elements of a list as the keys of an object, so that asking for one is no walk. NULL: no memory.
static json_t *index_elements(const json_t *list) {
    json_t *index = json_object(), *element;
    size_t i;
    bool is_complete = index != NULL;
    json_array_foreach(list, i, element) {
        char *key = is_complete ? dump_element(element) : NULL;
        is_complete = key && json_object_set_new(index, key, json_true()) == 0;
        json_heap_free(key);
    }
    if (is_complete)
        return index;
    json_decref(index);
    return NULL;
}

// The first `limit` elements that `index` (NULL = empty) has not.
static json_t *list_first(const json_t *list, const json_t *index, size_t limit) {
    json_t *first = json_array(), *element;
    size_t i;
    json_array_foreach(list, i, element) {
        if (json_array_size(first) >= limit)
            break;
        char *key = dump_element(element);
        bool is_known = key && index && json_object_get(index, key);
        bool is_added = is_known || (key && json_array_append(first, element) == 0);
        json_heap_free(key);
        if (!is_added) {
            json_decref(first);
            return NULL;
        }
    }
    return first;
}

// `other` NULL = there is no other side to compare with.
static json_t *sum_up(const json_t *list, const json_t *other, const char *name, size_t limit) {
    json_t *index = other ? index_elements(other) : NULL;
    if (other && !index)
        return NULL;
    json_t *first = list_first(list, index, limit);
    json_decref(index);
    return first ? json_pack("{s:I, s:o}", "count", (json_int_t)json_array_size(list), name, first) : NULL;
}

// Sums up a field that is a long list on either side.
static bool shorten_list(json_t *before, json_t *after, const char *key, size_t limit) {
    json_t *old = json_object_get(before, key), *new = json_object_get(after, key);
    if (json_array_size(old) <= limit && json_array_size(new) <= limit)
        return true;
    bool is_pair = json_is_array(old) && json_is_array(new);
    json_t *removed = sum_up(old, is_pair ? new : NULL, is_pair ? "removed" : "first", limit);
    json_t *added = sum_up(new, is_pair ? old : NULL, is_pair ? "added" : "first", limit);
    bool is_done = (!json_is_array(old) || (removed && json_object_set(before, key, removed) == 0)) &&
                   (!json_is_array(new) || (added && json_object_set(after, key, added) == 0));
    json_decref(removed);
    json_decref(added);
    return is_done;
}

static bool shorten_lists(json_t *before, json_t *after, size_t limit) {
    json_t *const sides[] = {before, after};
    const char *key;
    json_t *value;
    void *next;
    for (size_t i = 0; i < ARRAY_LENGTH(sides); i++)
        json_object_foreach_safe(sides[i], next, key, value) {
            if (!shorten_list(before, after, key, limit))
                return false;
        }
    return true;
}

// ---- too long all the same ----

// As text; 0: no memory.
static size_t measure(const json_t *value) {
    return json_dumpb(value, NULL, 0, DUMP_FLAGS | JSON_ENCODE_ANY);
}

static json_t *cut_text(const char *text) {
    size_t len = TEXT_MAX;
    while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80) // not within a character
        len--;
    return json_sprintf("%.*s...", (int)len, text);
}

// Texts are cut first, then whatever is longest is replaced by its length.
static bool cut(json_t *object) {
    const char *key, *longest;
    json_t *value;
    size_t bytes;
    json_object_foreach(object, key, value) {
        bool is_long = json_string_length(value) > TEXT_MAX;
        if (is_long && json_object_set_new(object, key, cut_text(json_string_value(value))) != 0)
            return false;
    }
    while ((bytes = measure(object)) > AUDIT_JSON_MAX) {
        size_t longest_bytes = 0;
        json_object_foreach(object, key, value) {
            bytes = measure(value);
            if (bytes > longest_bytes) {
                longest_bytes = bytes;
                longest = key;
            }
        }
        if (longest_bytes == 0 ||
            json_object_set_new(object, longest, json_pack("{s:I}", "bytes", (json_int_t)longest_bytes)) != 0)
            return false;
    }
    return bytes > 0;
}

// `before` and `after` are replaced by their shortened forms where they are too long.
static bool shorten(json_t **before, json_t **after) {
    for (size_t i = 0; i < ARRAY_LENGTH(list_limits); i++) {
        json_t *old = json_deep_copy(*before), *new = json_deep_copy(*after);
        bool is_made = (old || !*before) && (new || !*after) && shorten_lists(old, new, list_limits[i]);
        bool is_last = i + 1 == ARRAY_LENGTH(list_limits);
        if (is_made && is_last)
            is_made = (!old || cut(old)) && (!new || cut(new));
        size_t old_bytes = old ? measure(old) : 1, new_bytes = new ? measure(new) : 1;
        is_made = is_made && old_bytes > 0 && new_bytes > 0;
        bool is_good = is_made && old_bytes <= AUDIT_JSON_MAX && new_bytes <= AUDIT_JSON_MAX;
        json_t *drop_old = is_good ? *before : old, *drop_new = is_good ? *after : new;
        *before = is_good ? old : *before;
        *after = is_good ? new : *after;
        json_decref(drop_old);
        json_decref(drop_new);
        if (!is_made || is_good)
            return is_made;
    }
    return false;
}

// ---- to text ----

static const char *dump(const json_t *object, struct arena *arena) {
    size_t len = json_dumpb(object, NULL, 0, DUMP_FLAGS);
    char *text = arena_allocate(arena, len + 1);
    if (len == 0 || !text || json_dumpb(object, text, len, DUMP_FLAGS) != len)
        return NULL;
    text[len] = '\0';
    return text;
}

// Moves the fields about a person out of `object`. NULL: no memory.
static json_t *take_personal(json_t *object) {
    json_t *personal = json_object();
    for (size_t i = 0; personal && i < ARRAY_LENGTH(personal_fields); i++) {
        json_t *value = json_object_get(object, personal_fields[i]);
        if (!value)
            continue;
        if (json_object_set(personal, personal_fields[i], value) != 0) {
            json_decref(personal);
            return NULL;
        }
        json_object_del(object, personal_fields[i]);
    }
    return personal;
}

// NULL is nothing.
static enum status split(json_t *object, struct arena *arena, struct audit_json *ret_json) {
    *ret_json = (struct audit_json){"", ""};
    if (!object)
        return STATUS_OK;
    json_t *personal = take_personal(object);
    struct audit_json json = {dump(object, arena), ""};
    if (personal && json_object_size(personal) > 0)
        json.personal = dump(personal, arena);
    bool is_complete = personal && json.plain && json.personal;
    json_decref(personal);
    if (!is_complete)
        return STATUS_NO_MEMORY;
    *ret_json = json;
    return STATUS_OK;
}

// ---- public ----

static json_t *read_message(const ProtobufCMessage *message, struct arena *arena) {
    json_t *json = message ? message_json_new(message, arena) : NULL;
    if (json)
        leave_out(json, message->descriptor);
    return json;
}

static bool compare(json_t *before, json_t *after, const ProtobufCMessage *message) {
    if (before && after)
        return keep_differences(before, after, message->descriptor);
    drop_empty(before ? before : after);
    return true;
}

enum status audit_diff(const ProtobufCMessage *before, const ProtobufCMessage *after, struct arena *arena,
                       struct audit_json *ret_before, struct audit_json *ret_after, bool *ret_differs) {
    json_t *old = read_message(before, arena), *new = read_message(after, arena);
    bool is_complete = (old || !before) && (new || !after) && compare(old, new, after) && shorten(&old, &new);
    enum status status = is_complete ? split(old, arena, ret_before) : STATUS_NO_MEMORY;
    if (status == STATUS_OK) {
        *ret_differs = !before || !after || json_object_size(new) > 0;
        status = split(new, arena, ret_after);
    }
    json_decref(old);
    json_decref(new);
    return status;
}

// NULL for no object; `ret_is_good` false where the text is something else than one.
static json_t *parse(const char *text, bool *ret_is_good) {
    json_t *json = *text ? json_loads(text, 0, NULL) : NULL;
    *ret_is_good = !*text || json_is_object(json);
    return json;
}

enum status audit_diff_texts(const char *before, const char *after, struct arena *arena,
                             struct audit_json *ret_before, struct audit_json *ret_after) {
    bool is_old_good, is_new_good;
    json_t *old = parse(before, &is_old_good), *new = parse(after, &is_new_good);
    enum status status = is_old_good && is_new_good ? STATUS_OK : STATUS_INTERNAL;
    if (status == STATUS_OK && !shorten(&old, &new))
        status = STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = split(old, arena, ret_before);
    if (status == STATUS_OK)
        status = split(new, arena, ret_after);
    json_decref(old);
    json_decref(new);
    return status;
}

// Both are objects, with different keys.
const char *audit_json_join(const struct audit_json *json, struct arena *arena) {
    if (!*json->personal)
        return arena_copy_text(arena, json->plain);
    if (strcmp(json->plain, "{}") == 0)
        return arena_copy_text(arena, json->personal);
    return arena_format(arena, "%.*s,%s", (int)strlen(json->plain) - 1, json->plain, json->personal + 1);
}
