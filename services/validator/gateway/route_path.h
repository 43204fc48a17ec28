// The path of a request, cut into segments in such a way that every server behind cuts it alike. Where they
// are known to differ, nothing is guessed: such a path is refused. That is
//
//   what is no path        "*", "http://...", "": it must begin with "/"
//   empty segments         "//"; but one "/" at the end is as good as none
//   dot segments           ".", "..", however they are encoded
//   parameters             ";", which some servers cut off, however it is encoded
//   encoded "/ \ ? # %"    which some servers decode before they cut, or twice; and a "\" as it is
//   encoding that is none  "%g0", bytes that are not UTF-8 ("%c0%af"), control characters
//   bytes to be encoded    white space, control characters, and what is beyond ASCII
//
// What follows a "?" is no part of it.
#ifndef LATCHKEY_SERVICES_VALIDATOR_GATEWAY_ROUTE_PATH_H
#define LATCHKEY_SERVICES_VALIDATOR_GATEWAY_ROUTE_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/status.h"

#define ROUTE_SEGMENTS_MAX 64 // of a path; one more is refused

struct route_segment {
    struct bytes text; // decoded
    // Something in it is encoded that need not be: servers differ in whether "%61" is "a".
    bool is_disguised;
};

struct route_path {
    size_t count;
    struct route_segment segments[ROUTE_SEGMENTS_MAX];
};

// Borrows from `target` and the arena. MALFORMED: as above; NO_MEMORY.
MUST_CHECK enum status route_path_parse(struct bytes target, struct arena *arena, struct route_path *ret);

#endif
