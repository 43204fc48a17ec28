#include "services/cli/token_text.h"

#include "common/protobuf/field.h"
#include "services/cli/answer.h"
#include "services/cli/request.h"

// When, and where from; NULL for never.
static const char *describe_use(struct cli *cli, const ProtobufCMessage *message) {
    const char *at = answer_get_time(cli, message, "last_used_at", NULL),
               *ip = field_get_text(message, "last_used_ip"), *by = field_get_text(message, "last_used_by");
    if (!at)
        return NULL;
    return cli_format(cli, "%s%s%s%s%s", at, ip[0] ? " from " : "", ip, by[0] ? ", asked by " : "", by);
}

static void add_secrets(struct cli *cli, struct table *table, const ProtobufCMessage *token) {
    const ProtobufCMessage *secret;
    size_t count = field_get_count(token, "secrets");
    for (size_t i = 0; i < count; i++) {
        secret = field_get_message_at(token, "secrets", i);
        const char *end = answer_get_time(cli, secret, "expires_at", NULL),
                   *use = count > 1 ? describe_use(cli, secret) : NULL;
        table_add_property(table, i == 0 ? "secret" : "",
                           cli_format(cli, "%s made %s%s%s%s%s", field_get_text(secret, "hint"),
                                      answer_get_time(cli, secret, "created_at", "?"), end ? ", ends " : "",
                                      end ? end : "", use ? ", last used " : "", use ? use : ""));
    }
}

static void add_end(struct cli *cli, struct table *table, const ProtobufCMessage *token) {
    table_add_property(table, "suspended until", answer_get_time(cli, token, "suspended_until", ""));
    if (!field_find_message(token, "deactivated_at"))
        return;
    table_add_property(table, "deactivated", answer_get_time(cli, token, "deactivated_at", ""));
    table_add_property(table, "reason",
                       answer_get_word(cli, token, "deactivate_reason", "DEACTIVATE_REASON_"));
    table_add_property(table, "note", field_get_text(token, "deactivate_note"));
}

static void add_metadata(struct cli *cli, struct table *table, const ProtobufCMessage *token) {
    size_t count = field_get_count(token, "metadata");
    for (size_t i = 0; i < count; i++) {
        const ProtobufCMessage *pair = field_get_message_at(token, "metadata", i);
        table_add_property(
            table, i == 0 ? "metadata" : "",
            cli_format(cli, "%s=%s", field_get_text(pair, "key"), field_get_text(pair, "value")));
    }
}

bool token_text_set_filters(struct cli *cli, ProtobufCMessage *request) {
    static const struct request_field filters[] = {
        REQUEST_WORDS("state", "state", "TOKEN_STATE_"), REQUEST_FIELD("label", "label_contains"),
        REQUEST_FIELD("permission", "permission"),       REQUEST_FIELD("member", "member_id"),
        REQUEST_FIELD("external-id", "external_id"),     REQUEST_FIELD("expires-before", "expires_before"),
        REQUEST_FIELD("unused-since", "unused_since"),
    };
    request_set(cli, request, filters, ARRAY_LENGTH(filters));
    for (size_t i = 0; i < ARRAY_LENGTH(filters); i++)
        if (options_has(&cli->options, filters[i].option))
            return true;
    return false;
}

void token_text_print(struct cli *cli, const ProtobufCMessage *token) {
    const char *owner = field_get_text(token, "member_id");
    struct table table;
    table_init(&table, &cli->arena, NULL, 2);
    table_add_property(&table, "token", field_get_text(token, "token_id"));
    table_add_property(&table, "label", field_get_text(token, "label"));
    table_add_property(&table, "description", field_get_text(token, "description"));
    table_add_property(&table, "state", answer_get_word(cli, token, "state", "TOKEN_STATE_"));
    add_end(cli, &table, token);
    table_add_property(&table, "owner", owner[0] ? owner : "the company");
    table_add_property(&table, "external id", field_get_text(token, "external_id"));
    table_add_property(&table, "channels", answer_get_words(cli, token, "channels", "CHANNEL_"));
    table_add_property(&table, "permissions", answer_get_list(cli, token, "permissions", "none"));
    table_add_property(&table, "addresses", answer_get_list(cli, token, "allowed_ips", "any"));
    table_add_property(&table, "domains", answer_get_list(cli, token, "allowed_domains", ""));
    table_add_property(&table, "not before", answer_get_time(cli, token, "not_before", ""));
    table_add_property(&table, "expires", answer_get_time(cli, token, "expires_at", "never"));
    add_secrets(cli, &table, token);
    const char *use = describe_use(cli, token);
    table_add_property(&table, "last used", use ? use : "never");
    add_metadata(cli, &table, token);
    table_add_property(&table, "created", answer_get_time(cli, token, "created_at", ""));
    table_add_property(&table, "created by", field_get_text(token, "created_by"));
    table_print(&table, TABLE_UNCUT, cli->out);
}
