#include "common/grpc/stats.h"

#include "common/base/compiler.h"

#define US 1000ull
#define MS 1000000ull
#define S 1000000000ull

const uint64_t grpc_stats_bucket_bounds_ns[GRPC_STATS_BUCKETS] = {
    10 * US, 50 * US, 100 * US, 300 * US, 600 * US, 800 * US, 1 * MS,  2 * MS,
    3 * MS,  4 * MS,  5 * MS,   6 * MS,   8 * MS,   10 * MS,  13 * MS, 16 * MS,
    20 * MS, 25 * MS, 50 * MS,  100 * MS, 500 * MS, 1 * S,    10 * S,  100 * S,
};

const char *grpc_close_get_name(enum grpc_close why) {
    static const char *const names[GRPC_CLOSE_COUNT] = {
#define GRPC_CLOSE_NAME(name, text) text,
        GRPC_CLOSE_TABLE(GRPC_CLOSE_NAME)
#undef GRPC_CLOSE_NAME
    };
    return (unsigned)why < GRPC_CLOSE_COUNT ? names[why] : "unknown";
}
