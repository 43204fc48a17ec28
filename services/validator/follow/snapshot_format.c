#include "services/validator/follow/snapshot_format.h"

#include <assert.h>
#include <string.h>

#include "common/db/value.h"

#define MAGIC BYTES_LITERAL("LKSNAP\r\n")
#define SEQ_MAX (INT64_MAX / 2) // far from where counting on would overflow

// What stands in files, whatever the enum's numbers.
static const uint32_t numbers[ROW_KINDS + 1] = {
    [ROW_KINDS] = 0, [ROW_PERMISSION] = 1, [ROW_COMPANY] = 2, [ROW_WHITELIST] = 3,
    [ROW_ENTRY] = 4, [ROW_ROLE] = 5,       [ROW_MEMBER] = 6,  [ROW_TOKEN] = 7,
};

// --- the chain ---

struct pieces {
    struct bytes pieces[3];
    size_t next;
};

static bool next_piece(void *context, struct bytes *ret_piece) {
    struct pieces *pieces = context;
    if (pieces->next == ARRAY_LENGTH(pieces->pieces))
        return false;
    *ret_piece = pieces->pieces[pieces->next++];
    return true;
}

// `head` is what stands before the digest in the block's head.
static void chain_on(struct snapshot_chain *chain, struct bytes head, struct bytes rows) {
    struct pieces pieces = {{bytes_of(chain->last.bytes, DIGEST_LENGTH), head, rows}, 0};
    struct digest next;
    digest_sha256_pieces(next_piece, &pieces, &next);
    chain->last = next;
}

// --- the header ---

static void append_int64(struct buffer *to, int64_t value) {
    uint8_t bytes[8];
    db_value_write_int64(value, bytes);
    buffer_append(to, bytes_of(bytes, sizeof(bytes)));
}

static void append_all(struct buffer *to, const int64_t *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        append_int64(to, values[i]);
}

static void append_positions(struct buffer *to, const struct snapshot_positions *positions) {
    append_all(to, positions->seqs, LANE_COUNT);
    append_all(to, positions->marks, LANE_COUNT);
}

void snapshot_write_header(struct buffer *to, const struct snapshot_header *header,
                           struct snapshot_chain *ret_chain) {
    size_t start = to->len;
    buffer_append(to, MAGIC);
    append_int64(to, SNAPSHOT_FORMAT);
    append_int64(to, header->identity.system_identifier);
    append_int64(to, header->identity.database_oid);
    append_int64(to, header->identity.timeline);
    append_int64(to, header->identity.schema_version);
    append_int64(to, (int64_t)header->identity.lanes.companies);
    append_int64(to, (int64_t)header->key.words[0]);
    append_int64(to, (int64_t)header->key.words[1]);
    append_int64(to, (int64_t)header->expected_rows);
    append_int64(to, header->made_at_ms);
    append_positions(to, &header->begin);
    if (to->failed)
        return;
    digest_sha256(bytes_of(to->data + start, to->len - start), &ret_chain->last);
    buffer_append(to, bytes_of(ret_chain->last.bytes, DIGEST_LENGTH));
}

static int64_t read_int64(struct cursor *cursor) {
    return (int64_t)cursor_read_u64(cursor);
}

static void read_all(struct cursor *cursor, int64_t *ret_values, size_t count) {
    for (size_t i = 0; i < count; i++)
        ret_values[i] = read_int64(cursor);
}

static struct snapshot_positions read_positions(struct cursor *cursor) {
    struct snapshot_positions positions;
    read_all(cursor, positions.seqs, LANE_COUNT);
    read_all(cursor, positions.marks, LANE_COUNT);
    return positions;
}

static struct snapshot_header read_fields(struct cursor *cursor) {
    struct snapshot_header header = {0};
    header.identity.system_identifier = read_int64(cursor);
    header.identity.database_oid = read_int64(cursor);
    header.identity.timeline = read_int64(cursor);
    header.identity.schema_version = read_int64(cursor);
    header.identity.lanes.companies = cursor_read_u64(cursor);
    header.key.words[0] = cursor_read_u64(cursor);
    header.key.words[1] = cursor_read_u64(cursor);
    header.expected_rows = cursor_read_u64(cursor);
    header.made_at_ms = read_int64(cursor);
    header.begin = read_positions(cursor);
    return header;
}

static bool has_right_digest(struct bytes bytes, struct snapshot_chain *ret_chain) {
    struct digest digest;
    digest_sha256(bytes_of(bytes.data, bytes.len - DIGEST_LENGTH), &digest);
    ret_chain->last = digest;
    return memcmp(digest.bytes, bytes.data + bytes.len - DIGEST_LENGTH, DIGEST_LENGTH) == 0;
}

const char *snapshot_read_header(struct bytes bytes, struct snapshot_header *ret_header,
                                 struct snapshot_chain *ret_chain) {
    assert(bytes.len == SNAPSHOT_HEADER_BYTES);
    struct cursor cursor = cursor_of(bytes);
    struct bytes magic = MAGIC;
    if (!bytes_is_equal(cursor_read_bytes(&cursor, magic.len), magic))
        return "it is no snapshot file";
    int64_t format = read_int64(&cursor);
    if (format != SNAPSHOT_FORMAT)
        return format > SNAPSHOT_FORMAT ? "a newer release has written it"
                                        : "an older release has written it";
    struct snapshot_header header = read_fields(&cursor);
    if (!has_right_digest(bytes, ret_chain))
        return "its header is damaged";
    for (unsigned lane = 0; lane < LANE_COUNT; lane++)
        if (header.begin.seqs[lane] < 0 || header.begin.seqs[lane] > SEQ_MAX)
            return "its positions are none";
    *ret_header = header;
    return NULL;
}

// --- the end ---

void snapshot_write_end(struct buffer *to, const struct snapshot_positions *end) {
    append_positions(to, end);
}

bool snapshot_read_end(struct bytes bytes, const struct snapshot_header *header,
                       struct snapshot_positions *ret_end) {
    assert(bytes.len == SNAPSHOT_POSITIONS_BYTES);
    struct cursor cursor = cursor_of(bytes);
    struct snapshot_positions end = read_positions(&cursor);
    for (unsigned lane = 0; lane < LANE_COUNT; lane++)
        if (end.seqs[lane] < header->begin.seqs[lane] || end.seqs[lane] > SEQ_MAX)
            return false;
    *ret_end = end;
    return true;
}

// --- blocks ---

static struct bytes get_chained_part(const uint8_t *head) {
    return bytes_of(head, SNAPSHOT_BLOCK_HEAD_BYTES - DIGEST_LENGTH);
}

static void write_numbers(uint8_t *head, enum row_kind kind, size_t len) {
    db_value_write_int32((int32_t)numbers[kind], head);
    db_value_write_int32((int32_t)len, head + 4);
}

void snapshot_write_block_head(uint8_t ret[SNAPSHOT_BLOCK_HEAD_BYTES], enum row_kind kind, struct bytes rows,
                               struct snapshot_chain *chain) {
    assert(rows.len <= SNAPSHOT_BLOCK_MAX_BYTES);
    write_numbers(ret, kind, rows.len);
    chain_on(chain, get_chained_part(ret), rows);
    memcpy(ret + 8, chain->last.bytes, DIGEST_LENGTH);
}

bool snapshot_read_block_head(const uint8_t bytes[SNAPSHOT_BLOCK_HEAD_BYTES],
                              struct snapshot_block_head *ret_head) {
    struct cursor cursor = cursor_of(bytes_of(bytes, SNAPSHOT_BLOCK_HEAD_BYTES));
    uint32_t number = cursor_read_u32(&cursor);
    struct snapshot_block_head head = {.kind = 0, .len = cursor_read_u32(&cursor)};
    memcpy(head.digest.bytes, cursor.rest.data, DIGEST_LENGTH);
    while (head.kind < ROW_KINDS && numbers[head.kind] != number)
        head.kind++;
    if (numbers[head.kind] != number || head.len > SNAPSHOT_BLOCK_MAX_BYTES)
        return false;
    *ret_head = head;
    return head.kind == ROW_KINDS ? head.len == SNAPSHOT_POSITIONS_BYTES : head.len > 0;
}

bool snapshot_check_block(const struct snapshot_block_head *head, struct bytes rows,
                          struct snapshot_chain *chain) {
    uint8_t bytes[SNAPSHOT_BLOCK_HEAD_BYTES];
    write_numbers(bytes, head->kind, rows.len);
    chain_on(chain, get_chained_part(bytes), rows);
    return memcmp(chain->last.bytes, head->digest.bytes, DIGEST_LENGTH) == 0;
}
