// The form of a snapshot file: a header, blocks of rows, and an end. Pure; integers are big-endian.
//
//     header   "LKSNAP\r\n", format, identity of the database and lanes, key of the fingerprints, positions
//              with their marks, digest of all that
//     block    kind of its rows, length, digest, rows as binary COPY (row_writer.h)
//     ...      kinds in the order of enum row_kind, but that whitelists and entries may take turns
//     end      a block of kind 0: positions with their marks once more
//
// Each digest is SHA-256 over the digest before it and what it stands in front of: a block that is spoilt,
// lost, doubled or moved is told where it is, and the last digest covers all.
//
// The rows are not of one moment, because they are taken while changes are applied. None is older than the
// header's positions, so whoever reads the file applies again all that came after those. And none is newer
// than those at the end: a database that has those has all of the changes that may be in the rows.
//
// why the key may lie in a file: only who reads this process's memory or the file (mode 0600, its owner's)
// has it. With it nobody gets in: that would take a secret whose SHA-256 has another's fingerprint, one try
// in 2^104. Who may also import tokens by digests of their choice could make one that stands in for another's
// and so shuts it out; that is what the key is kept from others for.
#ifndef LATCHKEY_SERVICES_VALIDATOR_FOLLOW_SNAPSHOT_FORMAT_H
#define LATCHKEY_SERVICES_VALIDATOR_FOLLOW_SNAPSHOT_FORMAT_H

#include <stdint.h>

#include "common/app/revision.h"
#include "common/base/buffer.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/crypto/digest.h"
#include "common/crypto/fingerprint.h"
#include "services/validator/follow/row_reader.h"
#include "services/validator/image/lane_set.h"

// One more whenever a field of a row or of the header changes: a release reads its own format only.
#define SNAPSHOT_FORMAT 3

// What a file belongs to, beside the marks of its positions.
struct snapshot_identity {
    int64_t system_identifier; // of the database cluster
    int64_t database_oid;
    int64_t timeline;
    int64_t schema_version; // number of the last migration
    struct lane_set lanes;  // that it has the rows of
};

struct snapshot_positions {
    int64_t seqs[LANE_COUNT], marks[LANE_COUNT];
};

struct snapshot_header {
    struct snapshot_identity identity;
    struct fingerprint_key key;
    uint64_t expected_rows; // about
    int64_t made_at_ms;     // UTC, when it was begun
    struct snapshot_positions begin;
};

#define SNAPSHOT_POSITIONS_BYTES (8 * 2 * LANE_COUNT)
#define SNAPSHOT_HEADER_BYTES (8 + 8 * (1 + 5 + 2 + 2) + SNAPSHOT_POSITIONS_BYTES + DIGEST_LENGTH)
#define SNAPSHOT_BLOCK_HEAD_BYTES (4 + 4 + DIGEST_LENGTH)

// A block is ended by the row that makes it as large as the first, and never larger than the second.
#define SNAPSHOT_BLOCK_BYTES (1u << 20)
#define SNAPSHOT_BLOCK_MAX_BYTES (16u << 20)

// The digest before the next block.
struct snapshot_chain {
    struct digest last;
};

void snapshot_write_header(struct buffer *to, const struct snapshot_header *header,
                           struct snapshot_chain *ret_chain);

// `bytes` are SNAPSHOT_HEADER_BYTES. NULL, or the sentence for what is wrong.
MUST_CHECK const char *snapshot_read_header(struct bytes bytes, struct snapshot_header *ret_header,
                                            struct snapshot_chain *ret_chain);

// What the end holds in place of rows.
void snapshot_write_end(struct buffer *to, const struct snapshot_positions *end);

// `bytes` are SNAPSHOT_POSITIONS_BYTES. False where they can't be those of a file with this header.
MUST_CHECK bool snapshot_read_end(struct bytes bytes, const struct snapshot_header *header,
                                  struct snapshot_positions *ret_end);

// The head of a block, its rows known. The end has kind ROW_KINDS.
void snapshot_write_block_head(uint8_t ret[SNAPSHOT_BLOCK_HEAD_BYTES], enum row_kind kind, struct bytes rows,
                               struct snapshot_chain *chain);

struct snapshot_block_head {
    enum row_kind kind; // ROW_KINDS = the end
    uint32_t len;
    struct digest digest;
};

// False where it can't be one.
MUST_CHECK bool snapshot_read_block_head(const uint8_t bytes[SNAPSHOT_BLOCK_HEAD_BYTES],
                                         struct snapshot_block_head *ret_head);

// False where the rows are not those that were written, or others stood before.
MUST_CHECK bool snapshot_check_block(const struct snapshot_block_head *head, struct bytes rows,
                                     struct snapshot_chain *chain);

#endif
