#include "common/app/admin.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/app/http_socket.h"

// Whoever opens connections and says nothing must not keep the probes of others out.
enum { CONNECTIONS_MAX = 256, ADDRESS_CONNECTIONS_MAX = 16, IDLE_TIMEOUT_S = 15 };

struct admin {
    struct admin_options options;
    struct MHD_Daemon *daemon; // NULL until it is open
    int fd;                    // listens; -1 once the daemon has it
    unsigned port;
};

struct route {
    const char *path;
    const char *content_type;
    unsigned (*answer)(const struct admin *admin, struct buffer *to); // returns the HTTP status
};

static unsigned answer_livez(const struct admin *admin, struct buffer *to) {
    (void)admin;
    buffer_append_text(to, "ok\n");
    return MHD_HTTP_OK;
}

static unsigned answer_readyz(const struct admin *admin, struct buffer *to) {
    admin->options.write_unready(to, admin->options.context);
    if (to->len > 0)
        return MHD_HTTP_SERVICE_UNAVAILABLE;
    buffer_append_text(to, "ok\n");
    return MHD_HTTP_OK;
}

static unsigned answer_metrics(const struct admin *admin, struct buffer *to) {
    metrics_write(admin->options.metrics, to);
    return MHD_HTTP_OK;
}

static const struct route routes[] = {
    {"/livez", "text/plain; charset=utf-8", answer_livez},
    {"/readyz", "text/plain; charset=utf-8", answer_readyz},
    {"/metrics", "text/plain; version=0.0.4; charset=utf-8", answer_metrics},
};

static const struct route *find_route(const char *path) {
    for (size_t i = 0; i < ARRAY_LENGTH(routes); i++)
        if (strcmp(path, routes[i].path) == 0)
            return &routes[i];
    return NULL;
}

static enum MHD_Result queue_response(struct MHD_Connection *connection, unsigned status, struct buffer *body,
                                      const char *content_type) {
    if (body->failed) {
        buffer_reset(body);
        status = MHD_HTTP_INTERNAL_SERVER_ERROR;
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body->len, body->data, MHD_RESPMEM_MUST_COPY);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    enum MHD_Result queued = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return queued;
}

// MHD calls it for the headers and again for each piece of a body; a body is of no interest here.
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **state) {
    (void)version, (void)upload, (void)state;
    const struct admin *admin = context;
    if (*upload_size > 0) {
        *upload_size = 0;
        return MHD_YES;
    }

    struct buffer body = {0};
    const struct route *route = find_route(path);
    const char *content_type = route ? route->content_type : "text/plain; charset=utf-8";
    unsigned status;
    if (!route) {
        status = MHD_HTTP_NOT_FOUND;
        buffer_append_text(&body, "not found; there is /livez, /readyz and /metrics\n");
    } else if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        status = MHD_HTTP_METHOD_NOT_ALLOWED;
        buffer_append_text(&body, "only GET\n");
    } else {
        status = route->answer(admin, &body);
    }
    enum MHD_Result queued = queue_response(connection, status, &body, content_type);
    buffer_fini(&body);
    return queued;
}

enum status admin_new(const struct admin_options *options, struct admin **ret_admin, char *ret_error,
                      size_t error_size) {
    struct admin *admin = calloc(1, sizeof(*admin));
    if (!admin) {
        snprintf(ret_error, error_size, "%s", status_get_text(STATUS_NO_MEMORY));
        return STATUS_NO_MEMORY;
    }
    admin->options = *options;
    const struct http_socket_options socket = {"--admin-listen", "the admin port", options->listen,
                                               options->is_shared};
    admin->fd = http_socket_open(&socket, ret_error, error_size, &admin->port);
    if (admin->fd < 0) {
        free(admin);
        return STATUS_UNAVAILABLE;
    }
    *ret_admin = admin;
    return STATUS_OK;
}

enum status admin_open(struct admin *admin, char *ret_error, size_t error_size) {
    if (!admin)
        return STATUS_OK;
    if (http_socket_listen(admin->fd))
        admin->daemon =
            MHD_start_daemon(MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, on_request, admin,
                             MHD_OPTION_LISTEN_SOCKET, admin->fd, MHD_OPTION_CONNECTION_LIMIT,
                             CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT, ADDRESS_CONNECTIONS_MAX,
                             MHD_OPTION_CONNECTION_TIMEOUT, IDLE_TIMEOUT_S, MHD_OPTION_END);
    if (admin->daemon) {
        admin->fd = -1;
        return STATUS_OK;
    }
    snprintf(ret_error, error_size, "can't start the admin port on %s", admin->options.listen);
    return STATUS_UNAVAILABLE;
}

void admin_leave(struct admin *admin) {
    bool is_accepting = admin && admin->daemon && admin->fd < 0;
    if (!is_accepting)
        return;
    admin->fd = MHD_quiesce_daemon(admin->daemon);
    shutdown(admin->fd, SHUT_RD);
}

unsigned admin_get_port(const struct admin *admin) {
    return admin->port;
}

void admin_free(struct admin *admin) {
    if (!admin)
        return;
    if (admin->daemon)
        MHD_stop_daemon(admin->daemon);
    if (admin->fd >= 0)
        close(admin->fd);
    free(admin);
}
