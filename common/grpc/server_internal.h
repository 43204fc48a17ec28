// What the parts of the server share: a server, what it keeps for each loop, and a connection.
#ifndef LATCHKEY_COMMON_GRPC_SERVER_INTERNAL_H
#define LATCHKEY_COMMON_GRPC_SERVER_INTERNAL_H

#include <nghttp2/nghttp2.h>
#include <pthread.h>
#include <stdatomic.h>

#include "common/grpc/admission.h"
#include "common/grpc/arriving_memory.h"
#include "common/grpc/call_gather.h"
#include "common/grpc/compression.h"
#include "common/grpc/flood_guard.h"
#include "common/grpc/load_shed.h"
#include "common/grpc/peer_guard.h"
#include "common/grpc/request_memory.h"
#include "common/grpc/server.h"
#include "common/grpc/session_memory.h"
#include "common/grpc/shed_answer.h"
#include "common/net/connection_balance.h"
#include "common/net/peer_count.h"
#include "common/net/stream.h"
#include "common/protobuf/protojson.h"

struct grpc_call;

struct grpc_connection {
    struct grpc_connection *next, **link; // of its loop
    struct grpc_loop *home;
    struct stream *stream;          // NULL once closed
    nghttp2_session *session;       // NULL once closed
    struct tls_identity *identity;  // held; NULL = the peer has none
    struct grpc_call *calls;        // whose stream is open
    struct grpc_call *writable;     // whose handlers wait for room and now have it
    struct grpc_call *recent;       // whom the last frame was for, while its stream is open; else NULL
    size_t early_answers;           // open streams answered before their clients have ended them
    size_t executing;               // calls whose handler works, orphaned ones included
    size_t unread_bytes;            // of answers, that the client has not taken
    size_t turn_bytes;              // of answers, queued since it was last written
    size_t output_bytes;            // of frames in the loop's scratch memory, while it is being written
    size_t unread_frame_bytes;      // of the DATA that is being read, with its padding
    size_t unconsumed_bytes;        // received since the last WINDOW_UPDATE was considered
    struct arriving_share arriving; // what its requests hold that have not come whole

    int32_t last_stream_id;      // the highest that the client has opened; -1 at first
    int32_t gap_first, gap_last; // the latest ones that it has skipped; 0 = none

    struct grpc_call *answers, **answers_end; // that wait for the end of the turn (call_http2_answer.h)

    struct loop_task turn_end; // writes, or frees what is closed
    bool is_turn_end_deferred;
    bool is_turn_end_posted;  // to the next turn, that is
    bool is_telling_writable; // handlers that have room again are sending
    bool is_in_session;       // inside of nghttp2: nothing may be closed
    bool is_reading;          // inside of on_read(), which writes when it is done
    bool is_reading_paused;
    bool has_preface; // the client's SETTINGS have come
    bool has_had_call;
    bool has_open_headers; // a header block has begun and not ended
    bool owes_table_size;  // a client's SETTINGS came since the last header block that the library has made
    bool is_forsaken;      // the client has said GOAWAY
    bool is_draining;      // the first GOAWAY is out
    bool is_final;         // so is the last
    bool is_condemned;     // to be closed as soon as nghttp2 has returned, for `close_reason`
    enum grpc_close close_reason;

    enum content_type content_type; // of the latest call

    // For connection_shed.h.
    struct {
        struct load_share share;
        int32_t stream_id; // of the call that is refused, while its header block arrives; 0 = none
        bool is_of_type;   // it is of `content_type`
        bool has_refused;  // a call, at any time
    } shed;

    struct admission_share admission;

    bool is_counted; // among the connections of its peer
    enum grpc_close drain_reason;

    // Limits (flood_guard.h).
    struct flood_guard flood;
    uint64_t sent_frames;               // HEADERS and DATA
    uint64_t excused_resets;            // that may come for calls which ended for want of time
    uint32_t block_fields, block_bytes; // of the header block that is arriving

    // When things happened, for connection_clock.h; 0 = not yet, or not now.
    uint64_t opened_ns, read_ns, headers_ns, last_call_ns, ping_ns, drain_ns;
    uint64_t moved_ns, moved_frames; // when a frame was last seen to leave while answers were left waiting
    uint64_t max_age_ns;             // with its jitter; 0 = any
    uint64_t armed_ns;               // when `timer` is due
    struct timer timer;

    // Of one that is read more seldom (connection_pace.h).
    uint64_t probation_end_ns; // 0 = it is not
    struct timer pace;
};

struct grpc_loop {
    struct grpc_server *server;
    struct loop *loop;
    struct session_memory memory;
    struct tls_acceptor *tls; // NULL = nobody speaks TLS
    struct compression compression;
    struct load_shed shed;
    struct admission admission;
    struct grpc_connection *connections;
    size_t connection_count;
    struct call_gather gather; // of the connection that is being read
    struct grpc_call *free_calls;
    size_t free_call_count;
    struct loop_task stop_task, drain_task;
    struct loop_scrub scrub; // of `memory` and `compression`
    bool is_draining;

    // Written by this loop only (stats_add()), read by any thread with relaxed loads.
    struct grpc_stats stats;
    struct grpc_method_stats *methods; // router's count + 1
};

struct grpc_server {
    struct grpc_server_settings settings;
    struct flood_limits flood_limits;
    struct shed_answers shed_answers;
    struct connection_balance *balance; // of what all listeners accept
    struct peer_count *peers;
    struct peer_guard peer_guard;
    struct throttle *handshakes; // by address; NULL = any number
    struct arriving_memory arriving_memory;
    struct request_memory request_memory;
    struct request_memory answer_memory; // of calls with more than one answer that waits
    const struct grpc_page *page;
    bool has_bare_errors;
    struct loop_group *loops;
    struct router *router;
    struct protojson_types *json_types;
    struct protojson_options json;
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *options;
    struct listener **listeners;
    size_t listener_count;

    // How far a drain has come: loops with open connections.
    pthread_mutex_t mutex;
    pthread_cond_t drained;
    // Under `mutex`.
    size_t busy_loops, open_listeners;

    size_t loop_count;
    struct grpc_loop home[];
};

// A connection has closed, or a handshake has ended: on a loop that drains it may have been the last.
void server_loop_note_end(struct grpc_loop *home);

// A counter has one writer; __atomic only keeps readers of other threads from seeing half a value.
static inline void stats_add(uint64_t *counter, uint64_t amount) {
    __atomic_store_n(counter, *counter + amount, __ATOMIC_RELAXED);
}

#endif
