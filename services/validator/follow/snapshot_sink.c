// One thread puts blocks into the queue and another takes them out. The file is the second one's.
#include "services/validator/follow/snapshot_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { QUEUE_BLOCKS_MAX = 8 };

struct block {
    struct block *next;
    enum row_kind kind;
    struct buffer rows;
};

struct snapshot_sink {
    const char *path;
    char new_path[PATH_MAX];
    pthread_t thread;

    pthread_mutex_t lock;
    pthread_cond_t changed;  // the thread waits
    pthread_cond_t has_room; // its owner does
    // Under the lock.
    struct block *first, **last;
    unsigned queued;
    bool has_ended;    // nothing more comes
    bool is_abandoned; // what is queued need not be written either
    bool is_over;      // the thread is done

    // The thread's, and after it has been joined its owner's.
    struct buffer header;
    struct snapshot_chain chain;
    int descriptor; // -1 = none
    uint64_t bytes;
    enum status status;
    int error; // errno
};

static void fail(struct snapshot_sink *sink) {
    sink->status = STATUS_UNAVAILABLE;
    sink->error = errno;
}

// --- the file ---

static void write_all(struct snapshot_sink *sink, struct bytes data) {
    while (data.len > 0 && sink->status == STATUS_OK) {
        ssize_t count = write(sink->descriptor, data.data, data.len);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0) {
            fail(sink);
            return;
        }
        sink->bytes += (uint64_t)count;
        data = bytes_of(data.data + count, data.len - (size_t)count);
    }
}

static void write_block(struct snapshot_sink *sink, enum row_kind kind, struct bytes rows) {
    uint8_t head[SNAPSHOT_BLOCK_HEAD_BYTES];
    snapshot_write_block_head(head, kind, rows, &sink->chain);
    write_all(sink, bytes_of(head, sizeof(head)));
    write_all(sink, rows);
}

// What an earlier process has left there is nobody's.
static void open_file(struct snapshot_sink *sink) {
    if (unlink(sink->new_path) != 0 && errno != ENOENT) {
        fail(sink);
        return;
    }
    sink->descriptor =
        open(sink->new_path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (sink->descriptor < 0)
        fail(sink);
}

// A name that has been changed is only sure to last when its directory is on the disk.
static void sync_directory(struct snapshot_sink *sink) {
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s", sink->path);
    int descriptor = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0 || fsync(descriptor) != 0)
        fail(sink);
    if (descriptor >= 0)
        close(descriptor);
}

static void finish_file(struct snapshot_sink *sink) {
    if (fsync(sink->descriptor) != 0 || rename(sink->new_path, sink->path) != 0)
        fail(sink);
    else
        sync_directory(sink);
}

// --- the thread ---

// Waits for the next; NULL at the end.
static struct block *take_block(struct snapshot_sink *sink, bool *ret_is_abandoned) {
    pthread_mutex_lock(&sink->lock);
    while (!sink->first && !sink->has_ended && !sink->is_abandoned)
        pthread_cond_wait(&sink->changed, &sink->lock);
    *ret_is_abandoned = sink->is_abandoned;
    struct block *block = sink->is_abandoned ? NULL : sink->first;
    if (block) {
        sink->first = block->next;
        sink->last = sink->first ? sink->last : &sink->first;
        sink->queued--;
        pthread_cond_signal(&sink->has_room);
    }
    pthread_mutex_unlock(&sink->lock);
    return block;
}

static void free_block(struct block *block) {
    buffer_fini(&block->rows);
    free(block);
}

static void write_file(struct snapshot_sink *sink) {
    bool is_abandoned = false;
    for (struct block *block; sink->status == STATUS_OK && (block = take_block(sink, &is_abandoned));) {
        write_block(sink, block->kind, buffer_get_bytes(&block->rows));
        free_block(block);
    }
    if (is_abandoned)
        sink->status = STATUS_CANCELLED;
    if (sink->status == STATUS_OK)
        finish_file(sink);
}

static void *run(void *context) {
    struct snapshot_sink *sink = context;
    open_file(sink);
    if (sink->status == STATUS_OK)
        write_all(sink, buffer_get_bytes(&sink->header));
    write_file(sink);
    if (sink->descriptor >= 0)
        close(sink->descriptor);
    if (sink->descriptor >= 0 && sink->status != STATUS_OK)
        (void)unlink(sink->new_path);
    pthread_mutex_lock(&sink->lock);
    sink->is_over = true;
    pthread_cond_signal(&sink->has_room);
    pthread_mutex_unlock(&sink->lock);
    return NULL;
}

// --- its owner ---

static void free_parts(struct snapshot_sink *sink) {
    for (struct block *block = sink->first, *next; block; block = next) {
        next = block->next;
        free_block(block);
    }
    buffer_fini(&sink->header);
    pthread_cond_destroy(&sink->has_room);
    pthread_cond_destroy(&sink->changed);
    pthread_mutex_destroy(&sink->lock);
    free(sink);
}

static enum status start(struct snapshot_sink *sink, const struct snapshot_header *header) {
    int length = snprintf(sink->new_path, sizeof(sink->new_path), "%s.new", sink->path);
    if (length >= (int)sizeof(sink->new_path))
        return STATUS_TOO_LARGE;
    snapshot_write_header(&sink->header, header, &sink->chain);
    if (sink->header.failed)
        return STATUS_NO_MEMORY;
    return pthread_create(&sink->thread, NULL, run, sink) == 0 ? STATUS_OK : STATUS_EXHAUSTED;
}

enum status snapshot_sink_new(const char *path, const struct snapshot_header *header,
                              struct snapshot_sink **ret_sink) {
    struct snapshot_sink *sink = calloc(1, sizeof(*sink));
    if (!sink)
        return STATUS_NO_MEMORY;
    sink->path = path;
    sink->descriptor = -1;
    sink->last = &sink->first;
    pthread_mutex_init(&sink->lock, NULL);
    pthread_cond_init(&sink->changed, NULL);
    pthread_cond_init(&sink->has_room, NULL);
    enum status status = start(sink, header);
    if (status != STATUS_OK) {
        free_parts(sink);
        return status;
    }
    *ret_sink = sink;
    return STATUS_OK;
}

enum status snapshot_sink_put(struct snapshot_sink *sink, enum row_kind kind, struct buffer *rows) {
    struct block *block = malloc(sizeof(*block));
    if (!block)
        return STATUS_NO_MEMORY;
    *block = (struct block){.kind = kind, .rows = *rows};
    *rows = (struct buffer){0};
    pthread_mutex_lock(&sink->lock);
    *sink->last = block;
    sink->last = &block->next;
    sink->queued++;
    pthread_cond_signal(&sink->changed);
    pthread_mutex_unlock(&sink->lock);
    return STATUS_OK;
}

bool snapshot_sink_is_full(struct snapshot_sink *sink) {
    pthread_mutex_lock(&sink->lock);
    bool is_full = sink->queued >= QUEUE_BLOCKS_MAX || sink->is_over;
    pthread_mutex_unlock(&sink->lock);
    return is_full;
}

void snapshot_sink_await_room(struct snapshot_sink *sink) {
    pthread_mutex_lock(&sink->lock);
    while (sink->queued >= QUEUE_BLOCKS_MAX && !sink->is_over)
        pthread_cond_wait(&sink->has_room, &sink->lock);
    pthread_mutex_unlock(&sink->lock);
}

static void set(struct snapshot_sink *sink, bool *ret_flag) {
    pthread_mutex_lock(&sink->lock);
    *ret_flag = true;
    pthread_cond_signal(&sink->changed);
    pthread_mutex_unlock(&sink->lock);
}

void snapshot_sink_end(struct snapshot_sink *sink) {
    set(sink, &sink->has_ended);
}

void snapshot_sink_abandon(struct snapshot_sink *sink) {
    set(sink, &sink->is_abandoned);
}

bool snapshot_sink_is_over(struct snapshot_sink *sink) {
    pthread_mutex_lock(&sink->lock);
    bool is_over = sink->is_over;
    pthread_mutex_unlock(&sink->lock);
    return is_over;
}

enum status snapshot_sink_free(struct snapshot_sink *sink, int *ret_error, uint64_t *ret_bytes) {
    pthread_join(sink->thread, NULL);
    enum status status = sink->status;
    *ret_error = sink->error;
    *ret_bytes = sink->bytes;
    free_parts(sink);
    return status;
}
