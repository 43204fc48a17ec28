#include "common/db/end.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { LAST_WAIT_MS = 2000 };

struct db_end {
    int fd; // readable once it has come
};

enum status db_end_new(struct db_end **ret_end) {
    struct db_end *end = malloc(sizeof(*end));
    if (!end)
        return STATUS_NO_MEMORY;
    end->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (end->fd < 0) {
        free(end);
        return STATUS_EXHAUSTED;
    }
    *ret_end = end;
    return STATUS_OK;
}

void db_end_free(struct db_end *end) {
    if (!end)
        return;
    close(end->fd);
    free(end);
}

void db_end_begin(struct db_end *end) {
    if (end)
        eventfd_write(end->fd, 1);
}

int db_end_poll(const struct db_end *end, struct pollfd *fds, nfds_t count, int timeout_ms) {
    fds[count] = (struct pollfd){.fd = end ? end->fd : -1, .events = POLLIN};
    int ready = poll(fds, count + 1, timeout_ms);
    bool is_end_alone = ready == 1 && fds[count].revents;
    if (!is_end_alone)
        return ready;
    bool is_longer = timeout_ms < 0 || timeout_ms > LAST_WAIT_MS;
    return poll(fds, count, is_longer ? LAST_WAIT_MS : timeout_ms);
}
