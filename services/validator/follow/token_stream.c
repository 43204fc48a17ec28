#include "services/validator/follow/token_stream.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "services/validator/follow/row_source.h"
#include "services/validator/follow/token_fields.h"

enum {
    BATCH_ROWS = 256,
    BATCHES_PER_READER = 4,
};

struct batch {
    struct batch *next;
    size_t count;
    struct token_row rows[BATCH_ROWS];
    struct arena arena; // what they borrow from
};

struct reader {
    struct token_stream *stream;
    struct db_transaction *transaction;
    unsigned part;
    pthread_t thread;
};

struct token_stream {
    struct token_stream_options options;
    struct reader readers[TOKEN_STREAM_READERS_MAX];
    size_t added; // the taker's
    struct batch *taken;

    pthread_mutex_t lock;
    pthread_cond_t has_full;  // or it is over
    pthread_cond_t has_empty; // or it is abandoned
    // Under the lock.
    struct batch *full, **last_full, *empty;
    size_t ended; // readers that have come to their end
    bool is_abandoned;
    enum status status; // of the first reader that failed
};

// --- batches between threads ---

// NULL: nobody wants more.
static struct batch *await_empty(struct token_stream *stream) {
    pthread_mutex_lock(&stream->lock);
    while (!stream->empty && !stream->is_abandoned)
        pthread_cond_wait(&stream->has_empty, &stream->lock);
    struct batch *batch = stream->is_abandoned ? NULL : stream->empty;
    if (batch)
        stream->empty = batch->next;
    pthread_mutex_unlock(&stream->lock);
    return batch;
}

static void hand_over(struct token_stream *stream, struct batch *batch) {
    batch->next = NULL;
    pthread_mutex_lock(&stream->lock);
    *stream->last_full = batch;
    stream->last_full = &batch->next;
    pthread_cond_signal(&stream->has_full);
    pthread_mutex_unlock(&stream->lock);
}

static void end(struct token_stream *stream, enum status status) {
    pthread_mutex_lock(&stream->lock);
    stream->ended++;
    if (stream->status == STATUS_OK)
        stream->status = status;
    pthread_cond_signal(&stream->has_full);
    pthread_mutex_unlock(&stream->lock);
}

static void put_empty(struct token_stream *stream, struct batch *batch) {
    pthread_mutex_lock(&stream->lock);
    batch->next = stream->empty;
    stream->empty = batch;
    pthread_cond_signal(&stream->has_empty);
    pthread_mutex_unlock(&stream->lock);
}

static struct batch *await_full(struct token_stream *stream) {
    pthread_mutex_lock(&stream->lock);
    while (!stream->full && stream->status == STATUS_OK && stream->ended < stream->options.reader_count)
        pthread_cond_wait(&stream->has_full, &stream->lock);
    struct batch *batch = stream->status == STATUS_OK ? stream->full : NULL;
    if (batch) {
        stream->full = batch->next;
        stream->last_full = stream->full ? stream->last_full : &stream->full;
    }
    pthread_mutex_unlock(&stream->lock);
    return batch;
}

// --- a reader ---

// What comes over the connection is gone with the next row. The fields of one lie one behind the other, but
// for empty ones, which lie nowhere.
static enum status keep_row(struct arena *arena, struct bytes *row, size_t columns) {
    const uint8_t *begin = NULL, *end = NULL;
    for (size_t i = 0; i < columns; i++) {
        if (row[i].len == 0)
            continue;
        begin = begin ? begin : row[i].data;
        end = row[i].data + row[i].len;
    }
    if (!begin)
        return STATUS_OK;
    size_t len = (size_t)(end - begin);
    uint8_t *copy = arena_allocate(arena, len);
    if (!copy)
        return STATUS_NO_MEMORY;
    memcpy(copy, begin, len);
    for (size_t i = 0; i < columns; i++)
        if (row[i].len > 0)
            row[i].data = copy + (row[i].data - begin);
    return STATUS_OK;
}

static enum status add_row(const struct token_stream *stream, struct batch *batch, struct bytes *row) {
    enum status status = keep_row(&batch->arena, row, row_kind_get_columns(ROW_TOKEN));
    struct row_fields fields = row_fields_of(row, &batch->arena);
    if (status == STATUS_OK)
        status = token_row_parse(&fields, stream->options.key, &batch->rows[batch->count]);
    batch->count += status == STATUS_OK;
    return status;
}

static enum status fill(const struct token_stream *stream, struct db_copy *copy, struct batch *batch) {
    arena_reset(&batch->arena);
    batch->count = 0;
    while (batch->count < BATCH_ROWS) {
        struct bytes row[ROW_COLUMNS_MAX];
        bool has_row = false;
        enum status status = db_copy_next(copy, row, &has_row);
        if (status != STATUS_OK || !has_row)
            return status;
        status = add_row(stream, batch, row);
        if (status != STATUS_OK)
            return status;
    }
    return atomic_load_explicit(stream->options.is_stopping, memory_order_relaxed) ? STATUS_CANCELLED
                                                                                   : STATUS_OK;
}

static enum status read_rows(struct token_stream *stream, struct db_copy *copy) {
    for (bool is_end = false; !is_end;) {
        struct batch *batch = await_empty(stream);
        if (!batch)
            return STATUS_CANCELLED;
        enum status status = fill(stream, copy, batch);
        is_end = batch->count < BATCH_ROWS;
        if (status == STATUS_OK && batch->count > 0)
            hand_over(stream, batch);
        else
            put_empty(stream, batch);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status read_part(const struct reader *reader) {
    const struct row_selection selection = {.kind = ROW_TOKEN,
                                            .lanes = reader->stream->options.lanes,
                                            .part = reader->part,
                                            .part_count = (unsigned)reader->stream->options.reader_count};
    struct row_statement statement = {0};
    struct db_copy *copy = NULL;
    enum status status = row_source_open(&statement, reader->transaction, &selection, &copy);
    if (status == STATUS_OK)
        status = read_rows(reader->stream, copy);
    db_copy_finish(copy);
    row_statement_fini(&statement);
    return status;
}

static void *run(void *context) {
    const struct reader *reader = context;
    end(reader->stream, read_part(reader));
    return NULL;
}

// --- the taker ---

static void free_batches(struct batch *batch) {
    for (struct batch *next; batch; batch = next) {
        next = batch->next;
        arena_fini(&batch->arena);
        free(batch);
    }
}

static void free_parts(struct token_stream *stream) {
    free_batches(stream->full);
    free_batches(stream->empty);
    free_batches(stream->taken);
    pthread_cond_destroy(&stream->has_empty);
    pthread_cond_destroy(&stream->has_full);
    pthread_mutex_destroy(&stream->lock);
    free(stream);
}

static enum status make_batches(struct token_stream *stream) {
    for (size_t i = 0; i < stream->options.reader_count * BATCHES_PER_READER; i++) {
        struct batch *batch = malloc(sizeof(*batch));
        if (!batch)
            return STATUS_NO_MEMORY;
        arena_init(&batch->arena, 0);
        batch->next = stream->empty;
        stream->empty = batch;
    }
    return STATUS_OK;
}

enum status token_stream_new(const struct token_stream_options *options, struct token_stream **ret_stream) {
    assert(options->reader_count > 0 && options->reader_count <= TOKEN_STREAM_READERS_MAX);
    struct token_stream *stream = calloc(1, sizeof(*stream));
    if (!stream)
        return STATUS_NO_MEMORY;
    stream->options = *options;
    stream->last_full = &stream->full;
    pthread_mutex_init(&stream->lock, NULL);
    pthread_cond_init(&stream->has_full, NULL);
    pthread_cond_init(&stream->has_empty, NULL);
    if (make_batches(stream) != STATUS_OK) {
        free_parts(stream);
        return STATUS_NO_MEMORY;
    }
    *ret_stream = stream;
    return STATUS_OK;
}

enum status token_stream_add(struct token_stream *stream, struct db_transaction *transaction) {
    assert(stream->added < stream->options.reader_count);
    struct reader *reader = &stream->readers[stream->added];
    *reader = (struct reader){.stream = stream, .transaction = transaction, .part = (unsigned)stream->added};
    if (pthread_create(&reader->thread, NULL, run, reader) != 0)
        return STATUS_NO_MEMORY;
    stream->added++;
    return STATUS_OK;
}

const struct token_row *token_stream_take(struct token_stream *stream, size_t *ret_count) {
    assert(stream->added == stream->options.reader_count);
    if (stream->taken)
        put_empty(stream, stream->taken);
    stream->taken = await_full(stream);
    if (!stream->taken)
        return NULL;
    stream->taken->next = NULL;
    *ret_count = stream->taken->count;
    return stream->taken->rows;
}

static void abandon(struct token_stream *stream) {
    pthread_mutex_lock(&stream->lock);
    stream->is_abandoned = true;
    pthread_cond_broadcast(&stream->has_empty);
    pthread_mutex_unlock(&stream->lock);
}

enum status token_stream_free(struct token_stream *stream) {
    if (!stream)
        return STATUS_OK;
    abandon(stream);
    for (size_t i = 0; i < stream->added; i++)
        pthread_join(stream->readers[i].thread, NULL);
    bool is_whole = stream->ended == stream->options.reader_count && !stream->full;
    enum status status = stream->status == STATUS_OK && !is_whole ? STATUS_CANCELLED : stream->status;
    free_parts(stream);
    return status;
}
