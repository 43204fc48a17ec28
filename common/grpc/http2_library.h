// Which nghttp2 this program speaks HTTP/2 with, for whoever asks whether a security fix has arrived.
#ifndef LATCHKEY_COMMON_GRPC_HTTP2_LIBRARY_H
#define LATCHKEY_COMMON_GRPC_HTTP2_LIBRARY_H

// "nghttp2 1.52.0 (source, 1.52.0-1+deb12u3, patched)": the library's own version, then how it was linked,
// what the distribution calls it, and whether it has our patches (docs/decisions/0037). Static storage.
const char *http2_library_get_text(void);

#endif
