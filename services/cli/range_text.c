#include "services/cli/range_text.h"

#include <string.h>

#include "common/ip/prefix.h"

void range_text_print_meaning(struct cli *cli, const char *typed, uint32_t bits) {
    struct bytes rest = bytes_of_text(typed), address_text = bytes_split(&rest, '/');
    struct ip_address address;
    struct ip_prefix prefix;
    if (ip_address_parse(address_text, &address) != IP_PARSE_OK ||
        ip_prefix_parse_with_bits(bytes_of_text(typed), bits, &prefix) != IP_PARSE_OK ||
        ip_address_is_equal(&address, &prefix.address))
        return;
    char meaning[IP_PREFIX_TEXT_MAX + 1];
    ip_prefix_format(&prefix, meaning);
    const char *counted = rest.data ? "" : cli_format(cli, "/%u", (unsigned)bits);
    fprintf(cli->out, "%s%s stands for %s\n", typed, counted, meaning);
}
