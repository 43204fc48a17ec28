#include "common/app/service_manager.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/log.h"

// "@name" stands for a name without a file.
static bool set_address(struct sockaddr_un *address, const char *name, socklen_t *ret_len) {
    size_t len = strlen(name);
    if ((name[0] != '/' && name[0] != '@') || len < 2 || len >= sizeof(address->sun_path))
        return false;
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path, name, len);
    if (name[0] == '@')
        address->sun_path[0] = '\0';
    *ret_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    return true;
}

static bool send_to(const struct sockaddr_un *address, socklen_t len, const char *state) {
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    ssize_t sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)address, len);
    close(fd);
    return sent == (ssize_t)strlen(state);
}

static void say(const char *state) {
    struct sockaddr_un address;
    socklen_t len;
    const char *name = getenv("NOTIFY_SOCKET");
    if (!name || !*name)
        return;
    if (!set_address(&address, name, &len) || !send_to(&address, len, state))
        log_event(LOG_LEVEL_WARNING, "the service manager can't be told", LOG_TEXT("state", state));
}

void service_manager_say_ready(void) {
    say("READY=1");
}

void service_manager_say_stopping(void) {
    say("STOPPING=1");
}
