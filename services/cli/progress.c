#include "services/cli/progress.h"

#include <inttypes.h>

#include "common/base/clock.h"
#include "services/cli/terminal.h"

#define PERIOD_NS 100000000 // between two showings
#define NS_PER_SECOND 1000000000
#define BAR_WIDTH 30
#define CLEAR_LINE "\r\033[K"

void progress_begin(struct progress *progress, struct cli *cli, const char *what, uint64_t total) {
    *progress = (struct progress){.cli = cli, .what = what, .total = total};
    progress->began_ns = clock_get_monotonic_ns(clock_get_system());
}

static void print_bar(const struct progress *progress, uint64_t done, FILE *to) {
    uint64_t filled = done * BAR_WIDTH / progress->total;
    fputs(" [", to);
    for (uint64_t i = 0; i < BAR_WIDTH; i++)
        fputc(i < filled ? '#' : ' ', to);
    fprintf(to, "] %" PRIu64 " of %" PRIu64, done, progress->total);
}

void progress_show(struct progress *progress, uint64_t done) {
    FILE *to = progress->cli->err;
    uint64_t now_ns = clock_get_monotonic_ns(clock_get_system());
    if (!terminal_is_one(to) || now_ns - progress->shown_ns < PERIOD_NS)
        return;
    progress->shown_ns = now_ns;
    progress->is_shown = true;
    double seconds = (double)(now_ns - progress->began_ns) / NS_PER_SECOND;
    double rate = seconds > 0 ? (double)done / seconds : 0;
    fprintf(to, CLEAR_LINE "%s", progress->what);
    if (progress->total > 0)
        print_bar(progress, done, to);
    else
        fprintf(to, " %" PRIu64, done);
    fprintf(to, ", %.0f a second", rate);
    if (progress->total > done && rate > 0)
        fprintf(to, ", %.0f s left", (double)(progress->total - done) / rate);
    fflush(to);
}

void progress_end(struct progress *progress) {
    if (!progress->is_shown)
        return;
    fputs(CLEAR_LINE, progress->cli->err);
    fflush(progress->cli->err);
    progress->is_shown = false;
}
