#include "services/cli/lookup.h"

#include <string.h>

#include "common/base/typeid.h"
#include "common/protobuf/field.h"
#include "services/cli/answer.h"
#include "services/cli/calls.h"

#define ROLE_PREFIX TYPEID_ROLE "_"

// ---- members ----

struct member_search {
    const char *email;
    const char *id; // NULL = not found
};

static size_t find_email(void *context, const ProtobufCMessage *page) {
    struct member_search *search = context;
    size_t count = field_get_count(page, "members");
    for (size_t i = 0; i < count; i++) {
        const ProtobufCMessage *member = field_get_message_at(page, "members", i);
        if (bytes_is_equal_ignoring_case(bytes_of_text(field_get_text(member, "email")),
                                         bytes_of_text(search->email)))
            search->id = field_get_text(member, "member_id");
    }
    return count;
}

enum exit_code lookup_find_member(struct cli *cli, const char *text, const char **ret_id) {
    *ret_id = text;
    if (!strchr(text, '@'))
        return EXIT_CODE_DONE;
    struct member_search search = {.email = text};
    ProtobufCMessage *request = calls_new_request(cli, RPC_LIST_MEMBERS);
    cli_must(field_set_text(&cli->arena, request, "name_contains", text));
    cli_must(field_set_enum_name(request, "state", "MEMBER_STATE_ACTIVE"));
    enum exit_code code =
        calls_make_pages(cli, RPC_LIST_MEMBERS, request, CALLS_UNLIMITED, find_email, &search);
    if (code == EXIT_CODE_DONE && !search.id)
        return cli_fail(cli, EXIT_CODE_REFUSED,
                        "no member has the address %s; `latchkey member list` shows them", text);
    *ret_id = search.id;
    return code;
}

// ---- roles ----

struct role {
    struct role *next;
    const char *id, *name;
};

struct lookup_roles {
    struct cli *cli;
    struct role *first;
};

static size_t add_roles(void *context, const ProtobufCMessage *page) {
    struct lookup_roles *roles = context;
    size_t count = field_get_count(page, "roles");
    for (size_t i = 0; i < count; i++) {
        const ProtobufCMessage *message = field_get_message_at(page, "roles", i);
        struct role *role = cli_need(ARENA_NEW(&roles->cli->arena, struct role));
        *role = (struct role){.next = roles->first,
                              .id = field_get_text(message, "role_id"),
                              .name = field_get_text(message, "name")};
        roles->first = role;
    }
    return count;
}

static const char *find_id(const struct lookup_roles *roles, const char *name) {
    for (const struct role *role = roles->first; role; role = role->next)
        if (bytes_is_equal_ignoring_case(bytes_of_text(role->name), bytes_of_text(name)))
            return role->id;
    return NULL;
}

static const char *get_name(const struct lookup_roles *roles, const char *id) {
    for (const struct role *role = roles->first; role; role = role->next)
        if (strcmp(role->id, id) == 0)
            return role->name;
    return id;
}

static bool is_role_id(const char *text) {
    return strncmp(text, ROLE_PREFIX, strlen(ROLE_PREFIX)) == 0;
}

// Roles are listed only where a name was typed.
static enum exit_code resolve(struct cli *cli, const char **texts, size_t count) {
    struct lookup_roles roles = {.cli = cli};
    bool is_loaded = false;
    for (size_t i = 0; i < count; i++) {
        if (is_role_id(texts[i]))
            continue;
        if (!is_loaded) {
            enum exit_code code =
                calls_make_pages(cli, RPC_LIST_ROLES, calls_new_request(cli, RPC_LIST_ROLES), CALLS_UNLIMITED,
                                 add_roles, &roles);
            if (code != EXIT_CODE_DONE)
                return code;
            is_loaded = true;
        }
        const char *id = find_id(&roles, texts[i]);
        if (!id)
            return cli_fail(cli, EXIT_CODE_REFUSED,
                            "there is no role \"%s\"; `latchkey role list` shows them", texts[i]);
        texts[i] = id;
    }
    return EXIT_CODE_DONE;
}

enum exit_code lookup_find_roles(struct cli *cli, const char ***ret_ids, size_t *ret_count) {
    *ret_ids = cli_need(options_get_list(&cli->options, "role", &cli->arena, ret_count));
    return resolve(cli, *ret_ids, *ret_count);
}

enum exit_code lookup_set_roles(struct cli *cli, ProtobufCMessage *message) {
    size_t count;
    const char **texts;
    enum exit_code code = lookup_find_roles(cli, &texts, &count);
    if (code == EXIT_CODE_DONE && count > 0)
        cli_must(field_set_texts(&cli->arena, message, "role_ids", texts, count));
    return code;
}

enum exit_code lookup_find_role(struct cli *cli, const char *text, const char **ret_id) {
    *ret_id = text;
    return resolve(cli, ret_id, 1);
}

enum exit_code lookup_set_role(struct cli *cli, ProtobufCMessage *request) {
    const char *role = options_find_text(&cli->options, "role");
    if (!role)
        return EXIT_CODE_DONE;
    enum exit_code code = lookup_find_role(cli, role, &role);
    if (code == EXIT_CODE_DONE)
        cli_must(field_set_text(&cli->arena, request, "role_id", role));
    return code;
}

const struct lookup_roles *lookup_load_roles(struct cli *cli) {
    struct lookup_roles *roles = cli_need(ARENA_NEW(&cli->arena, struct lookup_roles));
    roles->cli = cli;
    if (cli->is_json || calls_begin(cli) != EXIT_CODE_DONE)
        return roles;
    ProtobufCMessage *request = calls_new_request(cli, RPC_LIST_ROLES);
    cli_must(field_set_integer(request, "page_size", CALLS_PAGE_SIZE));
    const ProtobufCMessage *page = calls_try(cli, RPC_LIST_ROLES, request);
    if (page)
        add_roles(roles, page);
    return roles;
}

const char *lookup_describe_roles(struct cli *cli, const struct lookup_roles *roles,
                                  const ProtobufCMessage *message) {
    size_t count = field_get_count(message, "role_ids");
    const char **names = cli_need(ARENA_NEW_ARRAY(&cli->arena, const char *, count));
    for (size_t i = 0; i < count; i++)
        names[i] = get_name(roles, field_get_text_at(message, "role_ids", i));
    return count > 0 ? answer_join(cli, names, count) : "none";
}
