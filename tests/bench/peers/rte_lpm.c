// DPDK's longest prefix match for IPv4 (Debian package libdpdk-dev), without huge pages. It compares a new
// rule with all others of its length, so that a list of a million takes minutes to fill.
//
// usage: bench-rte-lpm FILE QUESTIONS
#include <arpa/inet.h>
#include <rte_eal.h>
#include <rte_lpm.h>

#include "tests/bench/look_ups.h"

enum { TBL8_MAX = 1 << 18 };

static struct rte_lpm *lpm;
static uint32_t *questions;

static bool is_listed(size_t question) {
    uint32_t next_hop;
    return rte_lpm_lookup(lpm, questions[question], &next_hop) == 0;
}

static void add_prefix(const char *line) {
    char text[LOOK_UPS_LINE_MAX];
    struct in_addr address;
    memcpy(text, line, sizeof(text));
    char *slash = strchr(text, '/');
    unsigned long bits = slash ? strtoul(slash + 1, NULL, 10) : 32;
    if (slash)
        *slash = '\0';
    if (inet_pton(AF_INET, text, &address) != 1 || bits == 0 || bits > 32)
        look_ups_fail("a line of the file is no prefix that DPDK takes");
    if (rte_lpm_add(lpm, ntohl(address.s_addr), (uint8_t)bits, 1) != 0)
        look_ups_fail("DPDK has no room for the list");
}

int main(int argc, char **argv) {
    struct look_ups look_ups;
    look_ups_init(&look_ups, argc, argv);
    char *eal[] = {argv[0], "--no-huge", "--no-pci", "--no-telemetry", "--no-shconf",
                   "-l",    "0",         "-m",       "1024",           "--log-level=1"};
    if (look_ups.is_v6 || rte_eal_init(sizeof(eal) / sizeof(eal[0]), eal) < 0)
        look_ups_fail("DPDK does not start");
    const struct rte_lpm_config config = {.max_rules = (uint32_t)look_ups.line_count + 1,
                                          .number_tbl8s = TBL8_MAX};
    lpm = rte_lpm_create("list", SOCKET_ID_ANY, &config);
    questions = calloc(LOOK_UPS, sizeof(*questions));
    if (!lpm || !questions)
        look_ups_fail("out of memory");
    for (size_t i = 0; i < look_ups.line_count; i++)
        add_prefix(look_ups.lines[i]);
    for (size_t i = 0; i < LOOK_UPS; i++) {
        uint32_t address;
        memcpy(&address, look_ups.questions[i], sizeof(address));
        questions[i] = ntohl(address);
    }
    look_ups_run(is_listed);
    return EXIT_SUCCESS;
}
