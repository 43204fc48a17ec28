#include "services/validator/feed/feed_message.h"

#include <string.h>

#include "common/grpc/framing.h"
#include "common/protobuf/wire_writer.h"

enum {
    HEAD_BYTES = 256,
    POSITION_BYTES = 32,
    POSITIONS_MAX = 16384, // in one message
};

// Fields of WatchChangesResponse.
enum { NONCE = 1, APPLIED = 3, HEADS, FORMAT, NOW_MS, VALID_FOR, FEED, FINGERPRINT_KEY };

// The room of one message; false when out of memory.
static bool begin(struct buffer *frames, size_t size, struct wire_writer *writer) {
    uint8_t *room = buffer_reserve(frames, FRAMING_PREFIX_BYTES + size);
    if (room)
        *writer = wire_writer_of(room + FRAMING_PREFIX_BYTES, size);
    return room != NULL;
}

static void end(struct buffer *frames, const struct wire_writer *writer) {
    struct bytes written = wire_writer_get(writer);
    uint8_t *frame = frames->data + frames->len;
    framing_write_prefix(frame, (uint32_t)written.len);
    memmove(frame + FRAMING_PREFIX_BYTES, written.data, written.len);
    buffer_advance(frames, FRAMING_PREFIX_BYTES + written.len);
}

void feed_message_add_opening(struct buffer *frames, uint64_t feed, const struct fingerprint_key *key) {
    struct wire_writer writer;
    if (!begin(frames, HEAD_BYTES, &writer))
        return;
    struct wire_mark mark = wire_writer_mark(&writer);
    wire_writer_packed_fixed64(&writer, key->words[1]);
    wire_writer_packed_fixed64(&writer, key->words[0]);
    wire_writer_wrap(&writer, FINGERPRINT_KEY, mark);
    wire_writer_fixed64(&writer, FEED, feed);
    wire_writer_number(&writer, FORMAT, FEED_FORMAT);
    end(frames, &writer);
}

static void write_position(struct wire_writer *writer, uint32_t field, struct revision position) {
    struct wire_mark mark = wire_writer_mark(writer);
    wire_writer_fixed64(writer, 3, (uint64_t)position.mark);
    wire_writer_number(writer, 2, (uint64_t)position.seq);
    wire_writer_number(writer, 1, position.lane);
    wire_writer_wrap(writer, field, mark);
}

static void add_some_applied(struct buffer *frames, const struct revision *changes, size_t count) {
    struct wire_writer writer;
    if (!begin(frames, HEAD_BYTES + count * POSITION_BYTES, &writer))
        return;
    while (count > 0)
        write_position(&writer, APPLIED, changes[--count]);
    end(frames, &writer);
}

void feed_message_add_applied(struct buffer *frames, const struct revision *changes, size_t count) {
    for (size_t from = 0, step; from < count; from += step) {
        step = count - from < POSITIONS_MAX ? count - from : POSITIONS_MAX;
        add_some_applied(frames, changes + from, step);
    }
}

// google.protobuf.Duration.
static void write_duration(struct wire_writer *writer, uint32_t field, uint64_t ns) {
    struct wire_mark mark = wire_writer_mark(writer);
    wire_writer_number(writer, 2, ns % 1000000000);
    wire_writer_number(writer, 1, ns / 1000000000);
    wire_writer_wrap(writer, field, mark);
}

void feed_message_add_answer(struct buffer *frames, const struct feed_answer *answer,
                             const struct positions *heads) {
    struct wire_writer writer;
    if (!begin(frames, HEAD_BYTES + LANE_COUNT * POSITION_BYTES, &writer))
        return;
    write_duration(&writer, VALID_FOR, answer->valid_ns);
    wire_writer_number(&writer, NOW_MS, (uint64_t)answer->now_ms);
    for (unsigned lane = LANE_COUNT; lane-- > 0;)
        if (heads->seqs[lane] > 0)
            write_position(&writer, HEADS,
                           (struct revision){(uint8_t)lane, heads->seqs[lane], heads->marks[lane]});
    wire_writer_fixed64(&writer, NONCE, answer->nonce);
    end(frames, &writer);
}
