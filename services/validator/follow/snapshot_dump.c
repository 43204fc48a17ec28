#include "services/validator/follow/snapshot_dump.h"

#include <stdlib.h>
#include <string.h>

#include "common/db/copy_writer.h"
#include "services/validator/follow/row_writer.h"
#include "services/validator/follow/snapshot_sink.h"
#include "services/validator/image/image_export.h"

struct snapshot_dump {
    const struct clock *clock;
    struct snapshot_sink *sink;
    const struct image *image;
    struct image_export export;
    struct buffer blocks[ROW_KINDS]; // being filled
    enum image_export_stage stage;   // of what they hold
    enum status status;
    bool has_ended;
};

// --- blocks ---

static enum status put_block(struct snapshot_dump *dump, enum row_kind kind) {
    struct buffer *block = &dump->blocks[kind];
    if (block->len == 0)
        return STATUS_OK;
    copy_write_trailer(block);
    if (block->failed)
        return STATUS_NO_MEMORY;
    return block->len <= SNAPSHOT_BLOCK_MAX_BYTES ? snapshot_sink_put(dump->sink, kind, block)
                                                  : STATUS_TOO_LARGE;
}

static struct buffer *begin_row(struct snapshot_dump *dump, enum row_kind kind) {
    struct buffer *block = &dump->blocks[kind];
    if (block->len == 0)
        copy_write_header(block);
    return block;
}

static enum status end_row(struct snapshot_dump *dump, enum row_kind kind) {
    const struct buffer *block = &dump->blocks[kind];
    if (block->failed)
        return STATUS_NO_MEMORY;
    return block->len >= SNAPSHOT_BLOCK_BYTES ? put_block(dump, kind) : STATUS_OK;
}

static void copy_positions(const struct image *image, struct snapshot_positions *ret) {
    const struct positions *positions = lanes_get_positions(image_get_lanes(image));
    memcpy(ret->seqs, positions->seqs, sizeof(ret->seqs));
    memcpy(ret->marks, positions->marks, sizeof(ret->marks));
}

static enum status put_end(struct snapshot_dump *dump) {
    struct buffer block = {0};
    struct snapshot_positions end;
    copy_positions(dump->image, &end);
    snapshot_write_end(&block, &end);
    enum status status = block.failed ? STATUS_NO_MEMORY : snapshot_sink_put(dump->sink, ROW_KINDS, &block);
    buffer_fini(&block);
    return status;
}

// What a later stage gives comes behind all of this one.
static enum status put_all_blocks(struct snapshot_dump *dump) {
    enum status status = STATUS_OK;
    for (enum row_kind kind = 0; kind < ROW_KINDS && status == STATUS_OK; kind++)
        status = put_block(dump, kind);
    return status;
}

// --- rows ---

static enum status visit_permission(void *dump, const struct permission_definition *definition) {
    row_write_permission(begin_row(dump, ROW_PERMISSION), definition);
    return end_row(dump, ROW_PERMISSION);
}

static enum status visit_company(void *dump, const struct company_row *row) {
    row_write_company(begin_row(dump, ROW_COMPANY), row);
    return end_row(dump, ROW_COMPANY);
}

static enum status visit_whitelist(void *dump, const struct whitelist_row *row,
                                   const struct ip_set_entry *entries, size_t count) {
    row_write_whitelist(begin_row(dump, ROW_WHITELIST), row);
    enum status status = end_row(dump, ROW_WHITELIST);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        row_write_entry(begin_row(dump, ROW_ENTRY), &row->company_id, &entries[i]);
        status = end_row(dump, ROW_ENTRY);
    }
    return status;
}

static enum status visit_role(void *dump, const struct role_row *row) {
    row_write_role(begin_row(dump, ROW_ROLE), row);
    return end_row(dump, ROW_ROLE);
}

static enum status visit_member(void *dump, const struct member_row *row) {
    row_write_member(begin_row(dump, ROW_MEMBER), row);
    return end_row(dump, ROW_MEMBER);
}

static enum status visit_token(void *dump, const struct token_row *row) {
    row_write_token(begin_row(dump, ROW_TOKEN), row);
    return end_row(dump, ROW_TOKEN);
}

static const struct image_visitor visitor = {
    .permission = visit_permission,
    .company = visit_company,
    .whitelist = visit_whitelist,
    .role = visit_role,
    .member = visit_member,
    .token = visit_token,
};

// --- slices ---

static enum status step(struct snapshot_dump *dump) {
    enum status status = image_export_step(&dump->export, &visitor, dump);
    if (status != STATUS_OK || dump->export.stage == dump->stage)
        return status;
    dump->stage = dump->export.stage;
    status = put_all_blocks(dump);
    return status == STATUS_OK && dump->stage == EXPORT_DONE ? put_end(dump) : status;
}

static void end_if_done(struct snapshot_dump *dump) {
    if (dump->has_ended || (dump->status == STATUS_OK && dump->stage != EXPORT_DONE))
        return;
    dump->has_ended = true;
    if (dump->status == STATUS_OK)
        snapshot_sink_end(dump->sink);
    else
        snapshot_sink_abandon(dump->sink);
}

enum snapshot_dump_state snapshot_dump_run(struct snapshot_dump *dump, uint64_t slice_ns) {
    uint64_t started_ns = clock_get_monotonic_ns(dump->clock);
    while (dump->status == STATUS_OK && dump->stage != EXPORT_DONE && !snapshot_sink_is_full(dump->sink)) {
        dump->status = step(dump);
        if (clock_get_monotonic_ns(dump->clock) - started_ns >= slice_ns)
            break;
    }
    end_if_done(dump);
    if (snapshot_sink_is_over(dump->sink))
        return SNAPSHOT_DUMP_OVER;
    return dump->has_ended || snapshot_sink_is_full(dump->sink) ? SNAPSHOT_DUMP_WAITS : SNAPSHOT_DUMP_RUNS;
}

void snapshot_dump_run_to_end(struct snapshot_dump *dump) {
    while (snapshot_dump_run(dump, UINT64_MAX) == SNAPSHOT_DUMP_WAITS && !dump->has_ended)
        snapshot_sink_await_room(dump->sink);
}

void snapshot_dump_forget_image(struct snapshot_dump *dump) {
    if (dump->stage == EXPORT_DONE || dump->status != STATUS_OK)
        return;
    dump->status = STATUS_CANCELLED;
    image_export_fini(&dump->export);
    end_if_done(dump);
}

// --- life ---

static void fill_header(struct snapshot_header *header, const struct snapshot_identity *identity,
                        const struct image *image, const struct clock *clock) {
    const struct image_statistics statistics = image_get_statistics(image);
    *header = (struct snapshot_header){.identity = *identity,
                                       .key = *image_get_fingerprint_key(image),
                                       .expected_rows = statistics.tokens + statistics.members +
                                                        statistics.roles + 2 * statistics.companies,
                                       .made_at_ms = clock_get_realtime_ms(clock)};
    copy_positions(image, &header->begin);
}

enum status snapshot_dump_new(const char *path, const struct snapshot_identity *identity,
                              const struct image *image, const struct clock *clock,
                              struct snapshot_dump **ret_dump) {
    struct snapshot_dump *dump = calloc(1, sizeof(*dump));
    if (!dump)
        return STATUS_NO_MEMORY;
    dump->clock = clock;
    dump->image = image;
    struct snapshot_header header;
    fill_header(&header, identity, image, clock);
    enum status status = image_export_init(&dump->export, image);
    if (status == STATUS_OK)
        status = snapshot_sink_new(path, &header, &dump->sink);
    if (status != STATUS_OK) {
        image_export_fini(&dump->export);
        free(dump);
        return status;
    }
    *ret_dump = dump;
    return STATUS_OK;
}

enum status snapshot_dump_free(struct snapshot_dump *dump, int *ret_error, uint64_t *ret_bytes) {
    if (!dump->has_ended)
        snapshot_sink_abandon(dump->sink);
    enum status status = snapshot_sink_free(dump->sink, ret_error, ret_bytes);
    if (dump->status != STATUS_OK)
        status = dump->status;
    image_export_fini(&dump->export);
    for (enum row_kind kind = 0; kind < ROW_KINDS; kind++)
        buffer_fini(&dump->blocks[kind]);
    free(dump);
    return status;
}
