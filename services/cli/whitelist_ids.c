#include "services/cli/whitelist_ids.h"

#include <string.h>

#include "common/base/typeid.h"
#include "common/ip/prefix.h"
#include "common/protobuf/field.h"
#include "services/cli/calls.h"
#include "services/cli/request.h"

#define ENTRY_PREFIX TYPEID_ENTRY "_"

static void add_id(struct whitelist_ids *ids, const char *id) {
    if (ids->count == ids->capacity) {
        size_t capacity = ids->capacity ? ids->capacity * 2 : 16;
        const char **texts = cli_need(ARENA_NEW_ARRAY(&ids->cli->arena, const char *, capacity));
        for (size_t i = 0; i < ids->count; i++)
            texts[i] = ids->texts[i];
        ids->texts = texts;
        ids->capacity = capacity;
    }
    ids->texts[ids->count++] = id;
}

static size_t on_page(void *context, const ProtobufCMessage *page) {
    struct whitelist_ids *ids = context;
    size_t count = field_get_count(page, "entries");
    for (size_t i = 0; i < count; i++) {
        const ProtobufCMessage *entry = field_get_message_at(page, "entries", i);
        if (strcmp(field_get_text(entry, "cidr"), ids->cidr) == 0)
            add_id(ids, field_get_text(entry, "entry_id"));
    }
    return count;
}

// Every entry of exactly this range.
static enum exit_code find_range(struct cli *cli, const char *text, struct whitelist_ids *ids) {
    static const struct request_field draft[] = {REQUEST_FIELD("draft", "draft_id")};
    struct ip_prefix prefix;
    char cidr[IP_PREFIX_TEXT_MAX + 1];
    if (ip_prefix_parse(bytes_of_text(text), &prefix) != IP_PARSE_OK)
        return cli_fail(cli, EXIT_CODE_USAGE,
                        "\"%s\" is neither an entry's id such as " ENTRY_PREFIX
                        "01j... nor a range such as 203.0.113.0/24",
                        text);
    ip_prefix_format(&prefix, cidr);
    ids->cidr = cidr;
    size_t before = ids->count;
    ProtobufCMessage *request = calls_new_request(cli, RPC_LIST_WHITELIST_ENTRIES);
    cli_must(field_set_text(&cli->arena, request, "within", cidr));
    request_set(cli, request, draft, ARRAY_LENGTH(draft));
    enum exit_code code =
        calls_make_pages(cli, RPC_LIST_WHITELIST_ENTRIES, request, CALLS_UNLIMITED, on_page, ids);
    ids->cidr = NULL;
    if (code == EXIT_CODE_DONE && ids->count == before)
        return cli_fail(
            cli, EXIT_CODE_REFUSED,
            "no entry is exactly %s; `latchkey whitelist show --contains ADDRESS` says which hold "
            "an address",
            cidr);
    return code;
}

enum exit_code whitelist_ids_find(struct cli *cli, struct whitelist_ids *ret_ids) {
    struct whitelist_ids *ids = ret_ids;
    *ids = (struct whitelist_ids){.cli = cli};
    for (size_t i = 0; i < cli->options.argument_count; i++) {
        const char *text = cli->options.arguments[i];
        if (strncmp(text, ENTRY_PREFIX, strlen(ENTRY_PREFIX)) == 0) {
            add_id(ids, text);
            continue;
        }
        enum exit_code code = find_range(cli, text, ids);
        if (code != EXIT_CODE_DONE)
            return code;
    }
    return EXIT_CODE_DONE;
}
