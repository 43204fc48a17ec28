#include "services/validator/follow/snapshot_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/db/copy_parser.h"
#include "services/validator/follow/row_reader.h"

#define DAMAGED "it is damaged, or was cut off"

struct reading {
    const struct snapshot_source *source;
    struct snapshot_found found;
    struct row_reader rows;
    struct snapshot_chain chain;
    unsigned stage; // of the block before
    struct buffer block;
    const char *why;
};

// Kinds come in this order; 0 is before the first.
static const unsigned stages[ROW_KINDS + 1] = {
    [ROW_PERMISSION] = 1, [ROW_COMPANY] = 2, [ROW_WHITELIST] = 3, [ROW_ENTRY] = 3,
    [ROW_ROLE] = 4,       [ROW_MEMBER] = 5,  [ROW_TOKEN] = 6,     [ROW_KINDS] = 7,
};

static enum status refuse(struct reading *reading, const char *why) {
    reading->why = why;
    return STATUS_INVALID;
}

// --- rows ---

// What the digests have let through and still is no row, was written by somebody else.
static enum status refuse_row(struct reading *reading, enum status status) {
    bool is_ours = status == STATUS_OK || status == STATUS_NO_MEMORY || status == STATUS_CANCELLED;
    return is_ours ? status : refuse(reading, "it has rows that are none");
}

static enum status put_rows(struct reading *reading, struct copy_parser *parser, enum row_kind kind) {
    for (;;) {
        struct bytes row[ROW_COLUMNS_MAX];
        switch (copy_parser_next(parser, row)) {
        case COPY_PARSER_EVENT_ROW: break;
        case COPY_PARSER_EVENT_END: return STATUS_OK;
        case COPY_PARSER_EVENT_NO_MEMORY: return STATUS_NO_MEMORY;
        case COPY_PARSER_EVENT_MALFORMED:
        case COPY_PARSER_EVENT_NEEDS_MORE: return refuse_row(reading, STATUS_MALFORMED);
        }
        enum status status = row_reader_put(&reading->rows, kind, row);
        if (status != STATUS_OK)
            return refuse_row(reading, status);
    }
}

static enum status put_block(struct reading *reading, enum row_kind kind) {
    struct copy_parser parser;
    copy_parser_init(&parser, row_kind_get_columns(kind));
    copy_parser_feed(&parser, buffer_get_bytes(&reading->block));
    enum status status = put_rows(reading, &parser, kind);
    copy_parser_fini(&parser);
    return status;
}

static enum status read_end(struct reading *reading) {
    struct snapshot_found *found = &reading->found;
    bool is_end = snapshot_read_end(buffer_get_bytes(&reading->block), &found->header, &found->end);
    return is_end ? STATUS_OK : refuse(reading, DAMAGED);
}

// What is put as a whole is put when its stage is over.
static enum status enter_stage(struct reading *reading, unsigned stage) {
    enum status status = STATUS_OK;
    if (stage < reading->stage)
        return refuse(reading, "its blocks are in disorder");
    if (reading->stage < stage && reading->stage == stages[ROW_PERMISSION])
        status = row_reader_finish(&reading->rows, ROW_PERMISSION);
    if (reading->stage < stage && reading->stage == stages[ROW_ENTRY])
        status = row_reader_finish(&reading->rows, ROW_ENTRY);
    reading->stage = stage;
    return refuse_row(reading, status);
}

// --- blocks ---

static bool read_exactly(struct reading *reading, uint8_t *to, size_t len) {
    return reading->source->read(reading->source->context, to, len);
}

static enum status read_rows(struct reading *reading, size_t len) {
    buffer_reset(&reading->block);
    uint8_t *to = buffer_reserve(&reading->block, len);
    if (!to)
        return STATUS_NO_MEMORY;
    if (!read_exactly(reading, to, len))
        return refuse(reading, DAMAGED);
    buffer_advance(&reading->block, len);
    return STATUS_OK;
}

static enum status read_block(struct reading *reading, bool *ret_is_end) {
    uint8_t bytes[SNAPSHOT_BLOCK_HEAD_BYTES];
    struct snapshot_block_head head;
    if (!read_exactly(reading, bytes, sizeof(bytes)) || !snapshot_read_block_head(bytes, &head))
        return refuse(reading, DAMAGED);
    enum status status = read_rows(reading, head.len);
    if (status != STATUS_OK)
        return status;
    if (!snapshot_check_block(&head, buffer_get_bytes(&reading->block), &reading->chain))
        return refuse(reading, DAMAGED);
    *ret_is_end = head.kind == ROW_KINDS;
    status = enter_stage(reading, stages[head.kind]);
    if (status != STATUS_OK)
        return status;
    return *ret_is_end ? read_end(reading) : put_block(reading, head.kind);
}

static enum status read_blocks(struct reading *reading) {
    enum status status = STATUS_OK;
    for (bool is_end = false; status == STATUS_OK && !is_end;)
        status = read_block(reading, &is_end);
    uint8_t behind;
    if (status == STATUS_OK && read_exactly(reading, &behind, 1))
        return refuse(reading, DAMAGED);
    return status;
}

// --- the header ---

static const char *compare(const struct snapshot_identity *file, const struct snapshot_identity *database) {
    if (file->system_identifier != database->system_identifier ||
        file->database_oid != database->database_oid)
        return "it is another database's";
    if (file->timeline != database->timeline)
        return "the database has another timeline by now";
    if (file->schema_version != database->schema_version)
        return "the database has another schema version by now";
    if (file->lanes.companies != database->lanes.companies)
        return "it has other lanes than are served now";
    return NULL;
}

static enum status read_header(struct reading *reading, const struct snapshot_file_options *options) {
    struct snapshot_header *header = &reading->found.header;
    uint8_t bytes[SNAPSHOT_HEADER_BYTES];
    if (!read_exactly(reading, bytes, sizeof(bytes)))
        return refuse(reading, "it is too short");
    const char *why = snapshot_read_header(bytes_of(bytes, sizeof(bytes)), header, &reading->chain);
    if (!why)
        why = compare(&header->identity, &options->identity);
    return why ? refuse(reading, why) : STATUS_OK;
}

static enum status publish_positions(const struct snapshot_positions *positions,
                                     const struct snapshot_file_options *options, struct image *image) {
    struct lanes *lanes = image_get_own_lanes(image);
    for (uint8_t lane = 0; lane < LANE_COUNT; lane++)
        lanes_note(lanes, (struct revision){lane, positions->seqs[lane], positions->marks[lane]});
    return lanes_publish(lanes, options->round, positions->seqs, options->reclaim);
}

// --- all ---

static enum status fill(struct reading *reading, const struct snapshot_file_options *options,
                        struct image *image) {
    const struct snapshot_header *header = &reading->found.header;
    row_reader_init(&reading->rows, image, options->reclaim, options->is_stopping);
    reading->rows.progress = options->progress;
    reading->rows.has_fingerprints = true;
    snapshot_progress_begin(options->progress, options->clock, header->expected_rows);
    enum status status = read_blocks(reading);
    row_reader_fini(&reading->rows);
    buffer_fini(&reading->block);
    if (status == STATUS_OK)
        status = image_apply_roles(image);
    if (status == STATUS_OK)
        status = publish_positions(&header->begin, options, image);
    return status;
}

enum status snapshot_file_read(const struct snapshot_source *source,
                               const struct snapshot_file_options *options, struct snapshot_found *ret_found,
                               struct image **ret_image, const char **ret_why) {
    struct reading reading = {.source = source};
    struct image *image = NULL;
    enum status status = read_header(&reading, options);
    if (status == STATUS_OK)
        status = image_new(options->reclaim, &reading.found.header.key, options->identity.lanes, &image);
    if (status == STATUS_OK) {
        status = fill(&reading, options, image);
        reclaim_run(options->reclaim);
    }
    if (status != STATUS_OK) {
        image_free(image);
        *ret_why = reading.why;
        return status;
    }
    *ret_found = reading.found;
    *ret_image = image;
    return STATUS_OK;
}

static bool read_descriptor(void *context, uint8_t *to, size_t len) {
    const int *descriptor = context;
    while (len > 0) {
        ssize_t count = read(*descriptor, to, len);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        to += count;
        len -= (size_t)count;
    }
    return true;
}

static const char *check_owner(int descriptor) {
    struct stat stat;
    if (fstat(descriptor, &stat) != 0 || !S_ISREG(stat.st_mode))
        return "it is no plain file";
    if (stat.st_uid != geteuid())
        return "it belongs to another user";
    return stat.st_mode & (S_IRWXG | S_IRWXO) ? "others than its owner may read or write it" : NULL;
}

enum status snapshot_file_load(const char *path, const struct snapshot_file_options *options,
                               struct snapshot_found *ret_found, struct image **ret_image,
                               const char **ret_why) {
    // why NONBLOCK: a pipe in its place is not waited for.
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0) {
        *ret_why = "it can't be opened";
        return errno == ENOENT ? STATUS_NOT_FOUND : STATUS_INVALID;
    }
    const struct snapshot_source source = {read_descriptor, &descriptor};
    const char *why = check_owner(descriptor);
    enum status status = STATUS_INVALID;
    if (why)
        *ret_why = why;
    else
        status = snapshot_file_read(&source, options, ret_found, ret_image, ret_why);
    close(descriptor);
    return status;
}
