// One handler for both versions: v1alpha has the same fields in types of another package, and they are
// reached by name.
#include "common/grpc/reflection.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/grpc/call.h"
#include "common/grpc/status_code.h"
#include "common/protobuf/descriptor_index.h"
#include "common/protobuf/descriptor_set.h"
#include "common/protobuf/field.h"
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "grpc/reflection/v1alpha/reflection.pb-c.h"

#define VERSIONS 2

struct grpc_reflection {
    struct descriptor_index *index;
    struct arena arena;    // of `services`
    const char **services; // full names, each once, in the order of the router's tables
    size_t service_count;
    struct grpc_method methods[VERSIONS];
};

// What a question is answered with, in the memory of that one question.
struct reply {
    const struct grpc_reflection *reflection;
    struct arena arena;
    ProtobufCMessage *answer;
};

PRINTF_LIKE(3, 4)
static enum status reply_error(struct reply *reply, enum grpc_code code, const char *format, ...) {
    ProtobufCMessage *error;
    enum status status = field_set_message(&reply->arena, reply->answer, "error_response", &error);
    if (status != STATUS_OK)
        return status;
    va_list args;
    va_start(args, format);
    char *text = arena_format_args(&reply->arena, format, args);
    va_end(args);
    if (!text)
        return STATUS_NO_MEMORY;
    status = field_set_integer(error, "error_code", code);
    return status == STATUS_OK ? field_set_text(&reply->arena, error, "error_message", text) : status;
}

// Marks the file and all that it imports. Files follow their imports, so one pass downwards reaches all.
static void mark_with_imports(const struct descriptor_index *index, size_t number, bool *wanted) {
    wanted[number] = true;
    for (size_t i = number + 1; i-- > 0;) {
        const struct descriptor_file *file = descriptor_index_get_file(index, i);
        for (size_t k = 0; wanted[i] && k < file->import_count; k++)
            wanted[file->imports[k]] = true;
    }
}

// The file asked for first, then its imports: a client that wants only the one need not ask again for the
// others.
static enum status reply_file(struct reply *reply, size_t number) {
    const struct descriptor_index *index = reply->reflection->index;
    size_t count = descriptor_index_get_count(index), wanted_count = 0;
    bool *wanted = ARENA_NEW_ARRAY(&reply->arena, bool, count);
    struct bytes *contents = ARENA_NEW_ARRAY(&reply->arena, struct bytes, count);
    if (!wanted || !contents)
        return STATUS_NO_MEMORY;
    mark_with_imports(index, number, wanted);
    for (size_t i = number + 1; i-- > 0;)
        if (wanted[i])
            contents[wanted_count++] = descriptor_index_get_file(index, i)->content;
    ProtobufCMessage *files;
    enum status status = field_set_message(&reply->arena, reply->answer, "file_descriptor_response", &files);
    if (status != STATUS_OK)
        return status;
    return field_set_bytes_list(&reply->arena, files, "file_descriptor_proto", contents, wanted_count);
}

static enum status answer_file_by_filename(struct reply *reply, const ProtobufCMessage *question) {
    const char *name = field_get_text(question, "file_by_filename");
    size_t number;
    if (!descriptor_index_find_file(reply->reflection->index, name, &number))
        return reply_error(reply, GRPC_CODE_NOT_FOUND, "there is no file %s", name);
    return reply_file(reply, number);
}

static enum status answer_file_containing_symbol(struct reply *reply, const ProtobufCMessage *question) {
    const char *symbol = field_get_text(question, "file_containing_symbol");
    size_t number;
    if (!descriptor_index_find_symbol(reply->reflection->index, symbol, &number))
        return reply_error(reply, GRPC_CODE_NOT_FOUND, "there is no symbol %s", symbol);
    return reply_file(reply, number);
}

// The contract is proto3: nothing in it can be extended but by options, which are of no use to a client.
static enum status answer_file_containing_extension(struct reply *reply, const ProtobufCMessage *question) {
    const ProtobufCMessage *extension = field_find_message(question, "file_containing_extension");
    const char *type = extension ? field_get_text(extension, "containing_type") : "";
    return reply_error(reply, GRPC_CODE_NOT_FOUND, "%s has no extensions", type);
}

static enum status answer_extension_numbers(struct reply *reply, const ProtobufCMessage *question) {
    const char *type = field_get_text(question, "all_extension_numbers_of_type");
    size_t number;
    if (!descriptor_index_find_symbol(reply->reflection->index, type, &number))
        return reply_error(reply, GRPC_CODE_NOT_FOUND, "there is no type %s", type);
    ProtobufCMessage *extensions;
    enum status status =
        field_set_message(&reply->arena, reply->answer, "all_extension_numbers_response", &extensions);
    return status == STATUS_OK ? field_set_text(&reply->arena, extensions, "base_type_name", type) : status;
}

static enum status answer_list_services(struct reply *reply, const ProtobufCMessage *question) {
    (void)question;
    const struct grpc_reflection *reflection = reply->reflection;
    ProtobufCMessage *list, **services;
    enum status status = field_set_message(&reply->arena, reply->answer, "list_services_response", &list);
    if (status == STATUS_OK)
        status = field_set_messages(&reply->arena, list, "service", reflection->service_count, &services);
    for (size_t i = 0; status == STATUS_OK && i < reflection->service_count; i++)
        status = field_set_text(&reply->arena, services[i], "name", reflection->services[i]);
    return status;
}

// The members of the question's oneof.
static const struct {
    const char *question;
    enum status (*answer)(struct reply *reply, const ProtobufCMessage *question);
} answers[] = {
    {"file_by_filename", answer_file_by_filename},
    {"file_containing_symbol", answer_file_containing_symbol},
    {"file_containing_extension", answer_file_containing_extension},
    {"all_extension_numbers_of_type", answer_extension_numbers},
    {"list_services", answer_list_services},
};

static enum status answer(struct reply *reply, const ProtobufCMessage *question) {
    for (size_t i = 0; i < ARRAY_LENGTH(answers); i++)
        if (field_is_set(question, answers[i].question))
            return answers[i].answer(reply, question);
    return reply_error(reply, GRPC_CODE_INVALID_ARGUMENT, "the request asks for nothing");
}

static enum status reply_to(struct reply *reply, const ProtobufCMessageDescriptor *type,
                            const ProtobufCMessage *question) {
    reply->answer = field_new_message(&reply->arena, type);
    if (!reply->answer)
        return STATUS_NO_MEMORY;
    enum status status =
        field_set_text(&reply->arena, reply->answer, "valid_host", field_get_text(question, "host"));
    if (status == STATUS_OK)
        status = field_put_message(reply->answer, "original_request", question);
    return status == STATUS_OK ? answer(reply, question) : status;
}

static void end_with(struct grpc_call *call, enum status status) {
    struct fault *fault = grpc_call_get_fault(call);
    if (status == STATUS_EXHAUSTED)
        fault_set(fault, status, "ANSWERS_NOT_READ", "read the answers before asking more");
    else
        fault_set(fault, status, status_get_name(status), "%s", status_get_text(status));
    grpc_call_finish(call, fault);
}

static void on_message(struct grpc_call *call, const ProtobufCMessage *question) {
    const struct grpc_method *method = grpc_call_get_method(call);
    // why not the call's arena: a stream may ask any number of questions.
    struct reply reply = {.reflection = method->context};
    arena_init(&reply.arena, 0);
    enum status status = reply_to(&reply, method->response, question);
    if (status == STATUS_OK)
        status = grpc_call_send(call, reply.answer);
    arena_fini(&reply.arena);
    // CLOSED: on_cancel ends the call.
    if (status != STATUS_OK && status != STATUS_CLOSED)
        end_with(call, status);
}

static void on_end(struct grpc_call *call) {
    grpc_call_finish(call, NULL);
}

static const struct grpc_handler handler = {
    .on_message = on_message, .on_half_close = on_end, .on_cancel = on_end};

enum status grpc_reflection_new(struct grpc_reflection **ret_reflection) {
    struct grpc_reflection *reflection = calloc(1, sizeof(*reflection));
    if (!reflection)
        return STATUS_NO_MEMORY;
    arena_init(&reflection->arena, 0);
    enum status status = descriptor_index_new(descriptor_set_get(), &reflection->index);
    if (status != STATUS_OK) {
        grpc_reflection_free(reflection);
        return status;
    }
    reflection->methods[0] = (struct grpc_method){
        .path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        .request = &grpc__reflection__v1__server_reflection_request__descriptor,
        .response = &grpc__reflection__v1__server_reflection_response__descriptor,
        .shape = GRPC_BIDI,
        .handler = &handler,
        .context = reflection,
    };
    reflection->methods[1] = (struct grpc_method){
        .path = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        .request = &grpc__reflection__v1alpha__server_reflection_request__descriptor,
        .response = &grpc__reflection__v1alpha__server_reflection_response__descriptor,
        .shape = GRPC_BIDI,
        .handler = &handler,
        .context = reflection,
    };
    *ret_reflection = reflection;
    return STATUS_OK;
}

void grpc_reflection_free(struct grpc_reflection *reflection) {
    if (!reflection)
        return;
    descriptor_index_free(reflection->index);
    arena_fini(&reflection->arena);
    free(reflection);
}

struct router_table grpc_reflection_get_table(const struct grpc_reflection *reflection) {
    return (struct router_table){.methods = reflection->methods, .count = VERSIONS};
}

static bool is_listed(const char *const *services, size_t count, struct bytes name) {
    for (size_t i = 0; i < count; i++)
        if (bytes_is_text(name, services[i]))
            return true;
    return false;
}

enum status grpc_reflection_set_router(struct grpc_reflection *reflection, const struct router *router) {
    size_t method_count = router_get_count(router), count = 0;
    const char **services = ARENA_NEW_ARRAY(&reflection->arena, const char *, method_count);
    if (!services)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < method_count; i++) {
        // "/service/method"; the router has checked the shape.
        const struct grpc_method *method = router_get_method(router, i);
        struct bytes rest = bytes_of_text(method->path + 1);
        struct bytes name = bytes_split(&rest, '/');
        if (method->is_internal || is_listed(services, count, name))
            continue;
        services[count] = arena_copy_bytes(&reflection->arena, name);
        if (!services[count++])
            return STATUS_NO_MEMORY;
    }
    reflection->services = services;
    reflection->service_count = count;
    return STATUS_OK;
}
