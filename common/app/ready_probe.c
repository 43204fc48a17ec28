#include "common/app/ready_probe.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/app/exit_status.h"
#include "common/net/listen_address.h"

enum { TIMEOUT_S = 5, ADDRESS_MAX = 128, ANSWER_MAX = 8192 };

static const char request[] = "GET /readyz HTTP/1.0\r\n\r\n"; // 1.0: the answer ends with the connection

// Where all addresses are listened on, IPv4's loopback is one that every container has.
static bool parse(const char *listen, struct listen_address *ret_where, const char **ret_reason) {
    char address[ADDRESS_MAX];
    bool is_wildcard = listen[0] == '*';
    snprintf(address, sizeof(address), "%s%s", is_wildcard ? "127.0.0.1" : "", listen + is_wildcard);
    return listen_address_parse(address, ret_where, ret_reason);
}

// The whole answer, ended by NUL; false with errno.
static bool ask_on(int fd, const struct listen_address *where, char *ret_answer, size_t size) {
    const struct timeval timeout = {.tv_sec = TIMEOUT_S};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)); // connect() heeds it, too
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    if (connect(fd, (const struct sockaddr *)&where->socket, where->length) != 0 ||
        send(fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request))
        return false;
    ssize_t len = recv(fd, ret_answer, size - 1, MSG_WAITALL);
    if (len < 0)
        return false;
    ret_answer[len] = '\0';
    return true;
}

static bool ask(const struct listen_address *where, char *ret_answer, size_t size) {
    int fd = socket(where->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool is_answered = ask_on(fd, where, ret_answer, size);
    int error = errno;
    close(fd);
    errno = error;
    return is_answered;
}

static int judge(const char *answer) {
    const char *body = strstr(answer, "\r\n\r\n");
    fputs(body ? body + strlen("\r\n\r\n") : "what answers there is no admin port\n", stdout);
    bool is_ready = body && strncmp(answer, "HTTP/1.", 7) == 0 && strncmp(answer + 8, " 200 ", 5) == 0;
    return is_ready ? EXIT_STATUS_OK : EXIT_STATUS_UNAVAILABLE;
}

int ready_probe(const char *admin_listen) {
    struct listen_address where;
    const char *reason;
    char answer[ANSWER_MAX];
    if (!admin_listen)
        return exit_status_explain(EXIT_STATUS_USAGE, "--admin-listen is none: there is nothing to ask");
    if (!parse(admin_listen, &where, &reason))
        return exit_status_explain(EXIT_STATUS_USAGE, reason);
    if (ask(&where, answer, sizeof(answer)))
        return judge(answer);
    printf("%s: %s\n", admin_listen, strerror(errno));
    return EXIT_STATUS_UNAVAILABLE;
}
