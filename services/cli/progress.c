#include "services/cli/progress.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/clock.h"
#include "services/cli/terminal.h"

#define PERIOD_NS 100000000 // between two showings
#define NS_PER_SECOND 1000000000
#define BAR_WIDTH 30
#define FIGURES_MAX 160
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
    fputc(']', to);
}

// "40000 of 561828, 8534 a second, 61 s left".
static int format_figures(const struct progress *progress, uint64_t done, uint64_t now_ns,
                          char text[FIGURES_MAX]) {
    double seconds = (double)(now_ns - progress->began_ns) / NS_PER_SECOND;
    double rate = seconds > 0 ? (double)done / seconds : 0;
    if (progress->total == 0)
        return snprintf(text, FIGURES_MAX, " %" PRIu64 ", %.0f a second", done, rate);
    int len = snprintf(text, FIGURES_MAX, " %" PRIu64 " of %" PRIu64 ", %.0f a second", done, progress->total,
                       rate);
    if (progress->total > done && rate > 0)
        len += snprintf(text + len, (size_t)(FIGURES_MAX - len), ", %.0f s left",
                        (double)(progress->total - done) / rate);
    return len;
}

// A line that is longer than the terminal is wide could not be taken back.
static void print_line(const struct progress *progress, uint64_t done, uint64_t now_ns, FILE *to) {
    char figures[FIGURES_MAX];
    size_t width = terminal_get_width(to), len = strlen(progress->what);
    len += (size_t)format_figures(progress, done, now_ns, figures);
    fprintf(to, CLEAR_LINE "%s", progress->what);
    if (progress->total > 0 && (width == 0 || len + BAR_WIDTH + 3 < width))
        print_bar(progress, done, to);
    if (width == 0 || len < width)
        fputs(figures, to);
}

void progress_show(struct progress *progress, uint64_t done) {
    FILE *to = progress->cli->err;
    uint64_t now_ns = clock_get_monotonic_ns(clock_get_system());
    if (!terminal_has_sequences(to) || now_ns - progress->shown_ns < PERIOD_NS)
        return;
    progress->shown_ns = now_ns;
    progress->is_shown = true;
    print_line(progress, done, now_ns, to);
    fflush(to);
}

void progress_end(struct progress *progress) {
    if (!progress->is_shown)
        return;
    fputs(CLEAR_LINE, progress->cli->err);
    fflush(progress->cli->err);
    progress->is_shown = false;
}
