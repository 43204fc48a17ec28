// What a call stands on, as a table of operations: a stream of an HTTP/2 connection (call_http2.c), or a
// request that was made inside of the process. A wire makes calls with call_new(), feeds them with
// call_on_headers(), call_on_data(), call_on_half_close() and call_on_stream_closed(), and takes the body of
// the answer with call_read_body(). All on the call's loop thread; no operation calls back.
#ifndef LATCHKEY_COMMON_GRPC_CALL_WIRE_H
#define LATCHKEY_COMMON_GRPC_CALL_WIRE_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>

struct grpc_call;

struct call_wire {
    // The header block that begins the answer, once; without a body it is also the end. What the rows point
    // to stays as it is until the stream has closed.
    void (*submit_headers)(struct grpc_call *call, const nghttp2_nv *rows, size_t count, bool has_body);

    // The body that has run dry has gone on, or has come to its end.
    void (*resume_body)(struct grpc_call *call);

    // There is no memory to answer with: the stream ends as it is.
    void (*reset)(struct grpc_call *call);

    // What was submitted leaves at the end of this turn.
    void (*schedule)(struct grpc_call *call);

    // Nothing will be queued behind what is queued now.
    void (*note_end)(struct grpc_call *call);

    // So many bytes of the request have been taken and make room for others.
    void (*consume)(struct grpc_call *call, size_t len);

    // A handler that was refused a send has room again; its on_writable is called when that is safe.
    void (*note_room)(struct grpc_call *call);

    // A handler is to start: false when as many work as may. And has ended, also after leave().
    bool (*start_work)(struct grpc_call *call);
    void (*end_work)(struct grpc_call *call);

    // The stream is closed: of the above only end_work() may follow.
    void (*leave)(struct grpc_call *call);

    // The call is about to be freed; the last.
    void (*close)(struct grpc_call *call);
};

#endif
