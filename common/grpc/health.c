// States that all threads share, and for each loop the list of its watchers, which only that loop touches.
#include "common/grpc/health.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/fault.h"
#include "common/grpc/call.h"
#include "common/protobuf/field.h"
#include "grpc/health/v1/health.pb-c.h"

#define METHODS 3
#define SERVICE_UNKNOWN GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN
#define NOTHING_TOLD (-1)

struct service {
    const char *name;
    // Stored before is_posted is exchanged, loaded after it is cleared: a task that is already on its way
    // sees it.
    _Atomic int state;
};

// A Watch; in its call's arena.
struct watcher {
    struct watcher *next, **link; // `link` points to what points here
    struct grpc_call *call;
    const struct service *service; // NULL = not known here
    int told;                      // the state sent last
};

struct watch_list {
    struct grpc_health *health;
    struct watcher *first; // its loop's
    struct loop_task task; // posted while is_posted
    atomic_bool is_posted;
};

struct grpc_health {
    struct loop_group *loops;
    struct service *services; // the first is ""
    size_t service_count;
    struct watch_list *lists; // by the loop's index
    atomic_bool has_ended;    // watches are; ordered as the states are
    struct grpc_method methods[METHODS];
};

static struct service *find_service(const struct grpc_health *health, const char *name) {
    for (size_t i = 0; i < health->service_count; i++)
        if (strcmp(health->services[i].name, name) == 0)
            return &health->services[i];
    return NULL;
}

static const struct grpc_health *get_health(const struct grpc_call *call) {
    return grpc_call_get_method(call)->context;
}

static int get_state(const struct service *service) {
    return service ? atomic_load(&service->state) : SERVICE_UNKNOWN;
}

static void on_check(struct grpc_call *call, const ProtobufCMessage *request) {
    const char *name = field_get_text(request, "service");
    const struct service *service = find_service(get_health(call), name);
    if (!service) {
        struct fault *fault = grpc_call_get_fault(call);
        fault_set(fault, STATUS_NOT_FOUND, "SERVICE_UNKNOWN", "the service \"%s\" is not served here", name);
        grpc_call_finish(call, fault);
        return;
    }
    Grpc__Health__V1__HealthCheckResponse response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
    response.status = get_state(service);
    grpc_call_reply(call, &response.base);
}

static enum status fill_list(const struct grpc_health *health, struct arena *arena, ProtobufCMessage *list) {
    ProtobufCMessage **pairs, *value;
    enum status status = field_set_messages(arena, list, "statuses", health->service_count, &pairs);
    for (size_t i = 0; status == STATUS_OK && i < health->service_count; i++) {
        status = field_set_text(arena, pairs[i], "key", health->services[i].name);
        if (status == STATUS_OK)
            status = field_set_message(arena, pairs[i], "value", &value);
        if (status == STATUS_OK)
            status = field_set_integer(value, "status", get_state(&health->services[i]));
    }
    return status;
}

static void finish_without_memory(struct grpc_call *call) {
    struct fault *fault = grpc_call_get_fault(call);
    fault_set(fault, STATUS_NO_MEMORY, "NO_MEMORY", "out of memory");
    grpc_call_finish(call, fault);
}

static void on_list(struct grpc_call *call, const ProtobufCMessage *request) {
    (void)request;
    Grpc__Health__V1__HealthListResponse response = GRPC__HEALTH__V1__HEALTH_LIST_RESPONSE__INIT;
    if (fill_list(get_health(call), grpc_call_get_arena(call), &response.base) == STATUS_OK)
        grpc_call_reply(call, &response.base);
    else
        finish_without_memory(call);
}

static void add_watcher(struct watch_list *list, struct watcher *watcher) {
    watcher->next = list->first;
    watcher->link = &list->first;
    if (list->first)
        list->first->link = &watcher->next;
    list->first = watcher;
}

static void remove_watcher(struct watcher *watcher) {
    *watcher->link = watcher->next;
    if (watcher->next)
        watcher->next->link = watcher->link;
}

// Ends the watch; the watcher is gone with its call.
static void end_watch(struct watcher *watcher, enum status status, const char *reason, const char *message) {
    struct grpc_call *call = watcher->call;
    remove_watcher(watcher);
    struct fault *fault = grpc_call_get_fault(call);
    fault_set(fault, status, reason, "%s", message);
    grpc_call_finish(call, fault);
}

// Sends the present state unless it is the one told last.
static void tell(const struct grpc_health *health, struct watcher *watcher) {
    if (atomic_load(&health->has_ended)) {
        end_watch(watcher, STATUS_UNAVAILABLE, "DRAINING", "this server is being stopped");
        return;
    }
    int state = get_state(watcher->service);
    if (state == watcher->told)
        return;
    Grpc__Health__V1__HealthCheckResponse response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
    response.status = state;
    switch (grpc_call_send(watcher->call, &response.base)) {
    case STATUS_OK: watcher->told = state; return;
    case STATUS_EXHAUSTED: return; // on_writable comes back here
    case STATUS_CLOSED: return;    // on_cancel ends it
    default: end_watch(watcher, STATUS_NO_MEMORY, "NO_MEMORY", "out of memory");
    }
}

static void on_watch(struct grpc_call *call, const ProtobufCMessage *request) {
    const struct grpc_health *health = get_health(call);
    struct watcher *watcher = ARENA_NEW(grpc_call_get_arena(call), struct watcher);
    if (!watcher) {
        finish_without_memory(call);
        return;
    }
    watcher->call = call;
    watcher->service = find_service(health, field_get_text(request, "service"));
    watcher->told = NOTHING_TOLD;
    grpc_call_set_data(call, watcher);
    add_watcher(&health->lists[loop_get_index(grpc_call_get_loop(call))], watcher);
    tell(health, watcher);
}

static void on_watch_writable(struct grpc_call *call) {
    tell(get_health(call), grpc_call_get_data(call));
}

static void on_watch_cancel(struct grpc_call *call) {
    remove_watcher(grpc_call_get_data(call));
    grpc_call_finish(call, NULL);
}

static void tell_all(struct loop_task *task) {
    struct watch_list *list = CONTAINER_OF(task, struct watch_list, task);
    atomic_store(&list->is_posted, false);
    struct watcher *next;
    for (struct watcher *watcher = list->first; watcher; watcher = next) {
        next = watcher->next;
        tell(list->health, watcher);
    }
}

static void wake_watchers(struct grpc_health *health) {
    for (size_t i = 0; i < loop_group_get_count(health->loops); i++)
        if (!atomic_exchange(&health->lists[i].is_posted, true))
            loop_post(loop_group_get_loop(health->loops, i), &health->lists[i].task);
}

static const struct grpc_handler check_handler = {.on_message = on_check};
static const struct grpc_handler list_handler = {.on_message = on_list};
static const struct grpc_handler watch_handler = {
    .on_message = on_watch, .on_writable = on_watch_writable, .on_cancel = on_watch_cancel};

static void fill_methods(struct grpc_health *health) {
    const struct grpc_method methods[METHODS] = {
        {.path = "/grpc.health.v1.Health/Check",
         .request = &grpc__health__v1__health_check_request__descriptor,
         .response = &grpc__health__v1__health_check_response__descriptor,
         .shape = GRPC_UNARY,
         .is_read_only = true,
         .handler = &check_handler,
         .context = health},
        {.path = "/grpc.health.v1.Health/List",
         .request = &grpc__health__v1__health_list_request__descriptor,
         .response = &grpc__health__v1__health_list_response__descriptor,
         .shape = GRPC_UNARY,
         .is_read_only = true,
         .handler = &list_handler,
         .context = health},
        {.path = "/grpc.health.v1.Health/Watch",
         .request = &grpc__health__v1__health_check_request__descriptor,
         .response = &grpc__health__v1__health_check_response__descriptor,
         .shape = GRPC_SERVER_STREAM,
         .handler = &watch_handler,
         .context = health},
    };
    memcpy(health->methods, methods, sizeof(methods));
}

enum status grpc_health_new(struct loop_group *loops, const char *const *services, size_t count,
                            struct grpc_health **ret_health) {
    struct grpc_health *health = calloc(1, sizeof(*health));
    if (!health)
        return STATUS_NO_MEMORY;
    size_t loop_count = loop_group_get_count(loops);
    health->loops = loops;
    health->services = calloc(count + 1, sizeof(*health->services));
    health->lists = calloc(loop_count, sizeof(*health->lists));
    if (!health->services || !health->lists) {
        grpc_health_free(health);
        return STATUS_NO_MEMORY;
    }
    health->service_count = count + 1;
    for (size_t i = 0; i <= count; i++) {
        health->services[i].name = i == 0 ? "" : services[i - 1];
        atomic_init(&health->services[i].state, GRPC_HEALTH_NOT_SERVING);
    }
    for (size_t i = 0; i < loop_count; i++) {
        health->lists[i].health = health;
        health->lists[i].task.run = tell_all;
    }
    fill_methods(health);
    *ret_health = health;
    return STATUS_OK;
}

void grpc_health_free(struct grpc_health *health) {
    if (!health)
        return;
    free(health->lists);
    free(health->services);
    free(health);
}

struct router_table grpc_health_get_table(const struct grpc_health *health) {
    return (struct router_table){.methods = health->methods, .count = METHODS};
}

void grpc_health_set_all(struct grpc_health *health, enum grpc_health_state state) {
    for (size_t i = 0; i < health->service_count; i++)
        atomic_store(&health->services[i].state, (int)state);
    wake_watchers(health);
}

void grpc_health_end_watches(struct grpc_health *health) {
    atomic_store(&health->has_ended, true);
    wake_watchers(health);
}
