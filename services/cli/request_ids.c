#include "services/cli/request_ids.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/crypto/digest.h"
#include "common/protobuf/field.h"

enum exit_code request_ids_init(struct cli *cli, struct request_ids *ret_ids) {
    const char *typed = options_find_text(&cli->options, "request-id");
    *ret_ids = (struct request_ids){0};
    if (!typed)
        ret_ids->base = uuid_new(clock_get_system());
    else if (!uuid_parse(bytes_of_text(typed), &ret_ids->base))
        return cli_fail(
            cli, EXIT_CODE_USAGE,
            "--request-id is \"%s\", but must be a UUID such as 018f2f6e-1c9a-7d4e-8b1a-0123456789ab", typed);
    return EXIT_CODE_DONE;
}

// A UUID of version 8, whose bits are the program's own.
static struct uuid derive(const struct request_ids *ids) {
    uint8_t seed[sizeof(ids->base.bytes) + sizeof(ids->next)];
    memcpy(seed, ids->base.bytes, sizeof(ids->base.bytes));
    for (size_t i = 0; i < sizeof(ids->next); i++)
        seed[sizeof(ids->base.bytes) + i] = (uint8_t)(ids->next >> (8 * i));
    struct digest digest;
    struct uuid derived;
    digest_sha256(bytes_of(seed, sizeof(seed)), &digest);
    memcpy(derived.bytes, digest.bytes, sizeof(derived.bytes));
    derived.bytes[6] = (uint8_t)((derived.bytes[6] & 0x0f) | 0x80);
    derived.bytes[8] = (uint8_t)((derived.bytes[8] & 0x3f) | 0x80);
    return derived;
}

void request_ids_set(struct cli *cli, struct request_ids *ids, ProtobufCMessage *request) {
    char text[UUID_TEXT_LENGTH + 1];
    uuid_format(derive(ids), text);
    ids->next++;
    cli_must(field_set_text(&cli->arena, request, "request_id", text));
}

const char *request_ids_describe(struct cli *cli, const struct request_ids *ids) {
    char text[UUID_TEXT_LENGTH + 1];
    uuid_format(ids->base, text);
    return cli_format(cli, "--request-id %s", text);
}
