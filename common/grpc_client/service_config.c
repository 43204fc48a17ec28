// One reader carries where it is and the first thing that was wrong, so that the functions below say only
// what each field must be.
#include "common/grpc_client/service_config.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "common/grpc/status_code.h"
#include "common/protobuf/json_heap.h"

#define MS_PER_SECOND 1000
#define SECONDS_MAX UINT64_C(315576000000) // google.protobuf.Duration's own limit
#define NANO_DIGITS 9
#define MILLI 1000
#define TOKENS_MAX 1000
#define PATH_MAX_LENGTH 120

struct name {
    struct bytes service, method; // empty = any
    const struct service_config_method *config;
    const struct name *next;
};

struct service_config {
    const struct name *names; // the last one first
    enum client_picking picking;
    struct service_config_throttle throttle;
    const char *health_service;
};

static const struct service_config_method method_says_nothing;

// ---- reading ----

struct reader {
    struct arena *arena;
    char path[PATH_MAX_LENGTH + 1]; // of the object that is read, e.g. "methodConfig[0].retryPolicy"
    char *error;
    size_t error_size;
    enum status status; // the first failure
};

PRINTF_LIKE(3, 4)
static bool fail(struct reader *reader, const char *field, const char *format, ...) {
    if (reader->status != STATUS_OK)
        return false;
    char text[160];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    snprintf(reader->error, reader->error_size, "%s%s%s: %s", reader->path,
             reader->path[0] && field[0] ? "." : "", field, text);
    reader->status = STATUS_INVALID;
    return false;
}

static bool fail_without_memory(struct reader *reader) {
    if (reader->status == STATUS_OK) {
        snprintf(reader->error, reader->error_size, "out of memory");
        reader->status = STATUS_NO_MEMORY;
    }
    return false;
}

// The path is put back by leave() to what it was.
PRINTF_LIKE(2, 3) static size_t enter(struct reader *reader, const char *format, ...) {
    size_t len = strlen(reader->path);
    va_list args;
    va_start(args, format);
    vsnprintf(reader->path + len, sizeof(reader->path) - len, format, args);
    va_end(args);
    return len;
}

static void leave(struct reader *reader, size_t len) {
    reader->path[len] = '\0';
}

// "1.5s", as google.protobuf.Duration is written in JSON; rounded up to milliseconds.
static bool parse_duration(struct bytes text, int64_t *ret_ms) {
    if (text.len < 2 || text.data[text.len - 1] != 's')
        return false;
    struct bytes fraction = bytes_of(text.data, text.len - 1), whole = bytes_split(&fraction, '.');
    uint64_t seconds, nanos = 0;
    if (!bytes_parse_unsigned(whole, SECONDS_MAX, &seconds) || fraction.len > NANO_DIGITS ||
        (fraction.data && fraction.len == 0))
        return false;
    for (size_t i = 0; i < NANO_DIGITS; i++) {
        uint8_t digit = i < fraction.len ? fraction.data[i] : '0';
        if (digit < '0' || digit > '9')
            return false;
        nanos = nanos * 10 + (uint64_t)(digit - '0');
    }
    *ret_ms = (int64_t)(seconds * MS_PER_SECOND + (nanos + 999999) / 1000000);
    return true;
}

// 0 where the field is not there and may be left out.
static bool read_duration(struct reader *reader, const json_t *object, const char *field, bool is_required,
                          int64_t *ret_ms) {
    const json_t *value = json_object_get(object, field);
    *ret_ms = 0;
    if (!value && !is_required)
        return true;
    if (!json_is_string(value) ||
        !parse_duration(bytes_of(json_string_value(value), json_string_length(value)), ret_ms) ||
        *ret_ms == 0)
        return fail(reader, field, "type seconds above 0 as a text, such as \"0.5s\"");
    return true;
}

static bool read_number(struct reader *reader, const json_t *object, const char *field, double max,
                        double *ret_number) {
    const json_t *value = json_object_get(object, field);
    *ret_number = json_number_value(value);
    if (json_is_number(value) && *ret_number > 0 && *ret_number <= max)
        return true;
    return fail(reader, field, "type a number above 0, at most %g", max);
}

static bool read_boolean(struct reader *reader, const json_t *object, const char *field, bool *ret_value) {
    const json_t *value = json_object_get(object, field);
    *ret_value = json_is_true(value);
    return !value || json_is_boolean(value) || fail(reader, field, "type true or false");
}

// A text of the arena's; empty where there is none.
static bool read_text(struct reader *reader, const json_t *object, const char *field, struct bytes *ret) {
    const json_t *value = json_object_get(object, field);
    *ret = BYTES_EMPTY;
    if (!value || json_is_null(value))
        return true;
    struct bytes text = bytes_of(json_string_value(value), json_string_length(value));
    if (!json_is_string(value) || memchr(text.data, 0, text.len))
        return fail(reader, field, "type a text");
    char *copy = arena_copy_bytes(reader->arena, text);
    if (!copy)
        return fail_without_memory(reader);
    *ret = bytes_of(copy, text.len);
    return true;
}

// NULL where there is none; what is there is an array.
static const json_t *read_array(struct reader *reader, const json_t *object, const char *field) {
    const json_t *value = json_object_get(object, field);
    if (!value || json_is_array(value))
        return value;
    fail(reader, field, "type a list");
    return NULL;
}

// ---- retryPolicy ----

static bool read_code(const json_t *value, uint32_t *codes) {
    if (json_is_integer(value)) {
        json_int_t number = json_integer_value(value);
        if (number < 0 || number >= GRPC_CODE_COUNT)
            return false;
        *codes |= UINT32_C(1) << number;
        return true;
    }
    struct bytes name = bytes_of(json_string_value(value), json_string_length(value));
    for (unsigned code = 0; json_is_string(value) && code < GRPC_CODE_COUNT; code++) {
        if (!bytes_is_equal_ignoring_case(name, bytes_of_text(grpc_code_get_name((enum grpc_code)code))))
            continue;
        *codes |= UINT32_C(1) << code;
        return true;
    }
    return false;
}

static bool read_codes(struct reader *reader, const json_t *object, uint32_t *ret_codes) {
    static const char field[] = "retryableStatusCodes";
    const json_t *codes = read_array(reader, object, field);
    for (size_t i = 0; i < json_array_size(codes); i++)
        if (!read_code(json_array_get(codes, i), ret_codes))
            return fail(reader, field, "item %zu is no status code; type a name such as \"UNAVAILABLE\"", i);
    if (*ret_codes == 0)
        return fail(reader, field, "name at least one status code, such as \"UNAVAILABLE\"");
    if (*ret_codes & 1 << GRPC_CODE_OK)
        return fail(reader, field, "a call that ended with OK is not repeated");
    return true;
}

static bool read_attempts(struct reader *reader, const json_t *object, unsigned *ret_attempts) {
    const json_t *value = json_object_get(object, "maxAttempts");
    json_int_t attempts = json_integer_value(value);
    if (!json_is_integer(value) || attempts < 2)
        return fail(reader, "maxAttempts", "type a whole number from 2 on: the first attempt counts");
    *ret_attempts = attempts > SERVICE_CONFIG_ATTEMPTS_MAX ? SERVICE_CONFIG_ATTEMPTS_MAX : (unsigned)attempts;
    return true;
}

static bool read_retry(struct reader *reader, const json_t *object, struct service_config_retry *retry) {
    const json_t *policy = json_object_get(object, "retryPolicy");
    if (!policy)
        return true;
    if (!json_is_object(policy))
        return fail(reader, "retryPolicy", "type an object");
    size_t outside = enter(reader, ".retryPolicy");
    int64_t initial_ms, max_ms;
    bool is_read = read_attempts(reader, policy, &retry->max_attempts) &&
                   read_duration(reader, policy, "initialBackoff", true, &initial_ms) &&
                   read_duration(reader, policy, "maxBackoff", true, &max_ms) &&
                   read_number(reader, policy, "backoffMultiplier", 1000, &retry->backoff.multiplier) &&
                   read_codes(reader, policy, &retry->retryable_codes);
    if (!is_read)
        return false;
    retry->backoff.initial_ms = (double)initial_ms;
    retry->backoff.max_ms = (double)max_ms;
    leave(reader, outside);
    return true;
}

// ---- methodConfig ----

static bool is_taken(const struct service_config *config, const struct name *name) {
    for (const struct name *at = config->names; at; at = at->next)
        if (bytes_is_equal(at->service, name->service) && bytes_is_equal(at->method, name->method))
            return true;
    return false;
}

static bool read_name(struct reader *reader, const json_t *value, const struct service_config_method *method,
                      struct service_config *config) {
    struct name *name = ARENA_NEW(reader->arena, struct name);
    if (!name)
        return fail_without_memory(reader);
    if (!json_is_object(value))
        return fail(reader, "", "type an object with service and method");
    if (!read_text(reader, value, "service", &name->service) ||
        !read_text(reader, value, "method", &name->method))
        return false;
    if (name->service.len == 0 && name->method.len > 0)
        return fail(reader, "method", "stands only beside a service");
    if (is_taken(config, name))
        return fail(reader, "", "this method has an entry already");
    name->config = method;
    name->next = config->names;
    config->names = name;
    return true;
}

static bool read_names(struct reader *reader, const json_t *object,
                       const struct service_config_method *method, struct service_config *config) {
    const json_t *names = read_array(reader, object, "name");
    for (size_t i = 0; i < json_array_size(names); i++) {
        size_t outside = enter(reader, ".name[%zu]", i);
        if (!read_name(reader, json_array_get(names, i), method, config))
            return false;
        leave(reader, outside);
    }
    return reader->status == STATUS_OK;
}

// uint32 or, as protobuf's JSON writes wrappers of 64 bits, its digits as a text.
static bool read_size(struct reader *reader, const json_t *object, const char *field, uint32_t *ret_bytes) {
    const json_t *value = json_object_get(object, field);
    uint64_t bytes = 0;
    if (!value)
        return true;
    bool is_size = json_is_string(value)
                       ? bytes_parse_unsigned(bytes_of_text(json_string_value(value)), UINT32_MAX, &bytes)
                       : json_is_integer(value) && json_integer_value(value) >= 0;
    if (!is_size)
        return fail(reader, field, "type a number of bytes");
    if (json_is_integer(value))
        bytes = (uint64_t)json_integer_value(value);
    *ret_bytes = bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)bytes;
    return true;
}

static bool read_method(struct reader *reader, const json_t *object, struct service_config *config) {
    struct service_config_method *method = ARENA_NEW(reader->arena, struct service_config_method);
    if (!method)
        return fail_without_memory(reader);
    if (!json_is_object(object))
        return fail(reader, "", "type an object");
    return read_duration(reader, object, "timeout", false, &method->timeout_ms) &&
           read_boolean(reader, object, "waitForReady", &method->wait_for_ready) &&
           read_size(reader, object, "maxResponseMessageBytes", &method->max_response_bytes) &&
           read_retry(reader, object, &method->retry) && read_names(reader, object, method, config);
}

static bool read_methods(struct reader *reader, const json_t *root, struct service_config *config) {
    const json_t *methods = read_array(reader, root, "methodConfig");
    for (size_t i = 0; i < json_array_size(methods); i++) {
        size_t outside = enter(reader, "methodConfig[%zu]", i);
        if (!read_method(reader, json_array_get(methods, i), config))
            return false;
        leave(reader, outside);
    }
    return reader->status == STATUS_OK;
}

// ---- the rest ----

static bool read_throttle(struct reader *reader, const json_t *root, struct service_config_throttle *ret) {
    const json_t *throttle = json_object_get(root, "retryThrottling");
    double max, ratio;
    if (!throttle)
        return true;
    if (!json_is_object(throttle))
        return fail(reader, "retryThrottling", "type an object");
    size_t outside = enter(reader, "retryThrottling");
    if (!read_number(reader, throttle, "maxTokens", TOKENS_MAX, &max) ||
        !read_number(reader, throttle, "tokenRatio", TOKENS_MAX, &ratio))
        return false;
    leave(reader, outside);
    *ret = (struct service_config_throttle){(uint32_t)(max * MILLI), (uint32_t)(ratio * MILLI)};
    return true;
}

static const struct {
    const char *name;
    enum client_picking picking;
} pickings[] = {
    {"pick_first", CLIENT_PICK_FIRST},
    {"round_robin", CLIENT_PICK_ROUND_ROBIN},
};

static bool find_picking(const char *name, enum client_picking *ret_picking) {
    for (size_t i = 0; i < ARRAY_LENGTH(pickings); i++) {
        if (strcmp(pickings[i].name, name) != 0)
            continue;
        *ret_picking = pickings[i].picking;
        return true;
    }
    return false;
}

// The first entry that is known, as the client is to choose; the older field where there are no entries.
static bool read_picking(struct reader *reader, const json_t *root, enum client_picking *ret_picking) {
    const json_t *entries = read_array(reader, root, "loadBalancingConfig");
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const char *name = json_object_iter_key(json_object_iter(json_array_get(entries, i)));
        if (!name)
            return fail(reader, "loadBalancingConfig", "item %zu names no policy", i);
        if (find_picking(name, ret_picking))
            return true;
    }
    if (json_array_size(entries) > 0)
        return fail(reader, "loadBalancingConfig", "pick_first and round_robin are what there is");
    const json_t *policy = json_object_get(root, "loadBalancingPolicy");
    if (!policy || reader->status != STATUS_OK)
        return reader->status == STATUS_OK;
    if (json_is_string(policy) && find_picking(json_string_value(policy), ret_picking))
        return true;
    return fail(reader, "loadBalancingPolicy", "type \"pick_first\" or \"round_robin\"");
}

static bool read_health(struct reader *reader, const json_t *root, const char **ret_service) {
    const json_t *health = json_object_get(root, "healthCheckConfig");
    struct bytes service;
    if (!health)
        return true;
    if (!json_is_object(health))
        return fail(reader, "healthCheckConfig", "type an object");
    size_t outside = enter(reader, "healthCheckConfig");
    if (!read_text(reader, health, "serviceName", &service))
        return false;
    leave(reader, outside);
    // Without a name gRPC asks for nothing; "" is a name, of the server as a whole.
    *ret_service = json_is_string(json_object_get(health, "serviceName")) ? (const char *)service.data : NULL;
    return true;
}

static bool read_root(struct reader *reader, const json_t *root, struct service_config *config) {
    if (!json_is_object(root))
        return fail(reader, "", "type an object, such as {\"loadBalancingConfig\": [{\"round_robin\": {}}]}");
    return read_methods(reader, root, config) && read_throttle(reader, root, &config->throttle) &&
           read_picking(reader, root, &config->picking) && read_health(reader, root, &config->health_service);
}

enum status service_config_parse(struct bytes json, struct arena *arena,
                                 const struct service_config **ret_config, char *ret_error,
                                 size_t error_size) {
    struct reader reader = {.arena = arena, .error = ret_error, .error_size = error_size};
    struct service_config *config = ARENA_NEW(arena, struct service_config);
    json_error_t error;
    json_t *root = NULL;
    enum status status =
        config ? json_heap_load(json.data ? json : BYTES_LITERAL(""), JSON_REJECT_DUPLICATES, &error, &root)
               : STATUS_NO_MEMORY;
    if (status == STATUS_NO_MEMORY)
        fail_without_memory(&reader);
    else if (status != STATUS_OK)
        fail(&reader, "", "not JSON at line %d, column %d: %s", error.line, error.column, error.text);
    else
        read_root(&reader, root, config);
    json_decref(root);
    if (reader.status == STATUS_OK)
        *ret_config = config;
    return reader.status;
}

// ---- the default ----

static const struct service_config_method default_method = {
    .retry = {.max_attempts = 4,
              .backoff = {.initial_ms = 100, .max_ms = 1000, .multiplier = 2},
              .retryable_codes = 1 << GRPC_CODE_UNAVAILABLE}};
static const struct name default_name = {.config = &default_method};
static const struct service_config default_config = {
    .names = &default_name,
    .throttle = {.max_milli_tokens = 10 * MILLI, .milli_tokens_per_success = MILLI / 10}};

const struct service_config *service_config_get_default(void) {
    return &default_config;
}

// ---- asking ----

// How closely a name fits: 3 the method, 2 its service, 1 all, 0 not.
static int get_fit(const struct name *name, struct bytes service, struct bytes method) {
    if (name->service.len == 0)
        return 1;
    if (!bytes_is_equal(name->service, service))
        return 0;
    if (name->method.len == 0)
        return 2;
    return bytes_is_equal(name->method, method) ? 3 : 0;
}

const struct service_config_method *service_config_get_method(const struct service_config *config,
                                                              struct bytes path) {
    assert(path.len > 0 && path.data[0] == '/');
    struct bytes method = bytes_of(path.data + 1, path.len - 1), service = bytes_split(&method, '/');
    const struct service_config_method *best = &method_says_nothing;
    int best_fit = 0;
    for (const struct name *name = config->names; name; name = name->next) {
        int fit = get_fit(name, service, method);
        if (fit > best_fit)
            best = name->config;
        best_fit = fit > best_fit ? fit : best_fit;
    }
    return best;
}

enum client_picking service_config_get_picking(const struct service_config *config) {
    return config->picking;
}

struct service_config_throttle service_config_get_throttle(const struct service_config *config) {
    return config->throttle;
}

const char *service_config_find_health_service(const struct service_config *config) {
    return config->health_service;
}
