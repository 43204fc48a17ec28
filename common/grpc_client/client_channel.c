// An address is in one of these states; its line below moves it.
//
//     idle ----connect----> ready ---lost---> idle
//      |                      |
//      | failed               | says that it is not serving
//      v                      v
//     resting --pause over--> idle
//
// Resting is not_before_ns in the future, ready is a connection that takes calls, idle the rest.
#include "common/grpc_client/client_channel.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/random.h"
#include "common/grpc_client/client.h"
#include "common/grpc_client/client_backoff.h"
#include "common/grpc_client/client_health.h"
#include "common/grpc_client/client_request.h"
#include "common/grpc_client/client_socket.h"

#define NS_PER_SECOND UINT64_C(1000000000)
#define RESOLVE_INTERVAL_NS (30 * NS_PER_SECOND) // names are looked up again when a connection is needed

struct member {
    struct client_address address;
    struct client_connection *connection; // NULL = none
    struct client_health *health;         // NULL = not asked for, or no connection
    unsigned failures;                    // in a row
    uint64_t not_before_ns;               // when it may be tried again
};

struct client_channel {
    struct client_targets *targets;
    struct tls_client *const *tls;
    struct client_channel_options options;
    struct member members[CLIENT_ADDRESSES_MAX];
    size_t count;
    size_t last; // the index picked last, or CLIENT_PICK_NONE
    uint64_t resolved_ns;
    struct client_failure failure; // the last one
};

static uint64_t now_ns(const struct client_channel *channel) {
    return clock_get_monotonic_ns(channel->options.clock);
}

struct client_channel *client_channel_new(struct client_targets *targets, struct tls_client *const *tls,
                                          const struct client_channel_options *options) {
    struct client_channel *channel = calloc(1, sizeof(*channel));
    if (!channel)
        return NULL;
    channel->targets = targets;
    channel->tls = tls;
    channel->options = *options;
    channel->last = CLIENT_PICK_NONE;
    return channel;
}

static void disconnect(struct member *member) {
    client_health_free(member->health);
    client_connection_close(member->connection);
    member->health = NULL;
    member->connection = NULL;
}

void client_channel_free(struct client_channel *channel) {
    if (!channel)
        return;
    for (size_t i = 0; i < channel->count; i++)
        disconnect(&channel->members[i]);
    free(channel->targets);
    free(channel);
}

static void rest(const struct client_channel *channel, struct member *member) {
    disconnect(member);
    member->failures++;
    member->not_before_ns = now_ns(channel) + client_backoff_get_ns(&client_backoff_of_connections,
                                                                    member->failures, random_get_u64());
}

// ---- names ----

static struct member *find_member(struct member *members, size_t count,
                                  const struct client_address *address) {
    for (size_t i = 0; i < count; i++)
        if (client_address_is_equal(&members[i].address, address))
            return &members[i];
    return NULL;
}

// Members that are no longer listed are let go; the others keep their state.
static void adopt(struct client_channel *channel, const struct client_addresses *addresses) {
    struct member kept[CLIENT_ADDRESSES_MAX] = {0};
    for (size_t i = 0; i < addresses->count; i++) {
        struct member *known = find_member(channel->members, channel->count, &addresses->all[i]);
        kept[i] = known ? *known : (struct member){.address = addresses->all[i]};
        if (known)
            *known = (struct member){0}; // moved
    }
    for (size_t i = 0; i < channel->count; i++)
        disconnect(&channel->members[i]);
    memcpy(channel->members, kept, sizeof(kept));
    channel->count = addresses->count;
}

static bool has_ready(const struct client_channel *channel) {
    for (size_t i = 0; i < channel->count; i++)
        if (channel->members[i].connection)
            return true;
    return false;
}

// What was found before stays where nothing is found now.
static void resolve(struct client_channel *channel) {
    bool is_fresh = now_ns(channel) - channel->resolved_ns < RESOLVE_INTERVAL_NS;
    if (channel->count > 0 && (has_ready(channel) || is_fresh))
        return;
    struct client_addresses addresses;
    channel->resolved_ns = now_ns(channel);
    if (client_addresses_find(channel->targets, &addresses, &channel->failure))
        adopt(channel, &addresses);
}

// ---- one address ----

static struct tls_client *get_tls(const struct client_channel *channel, const struct member *member) {
    return channel->tls && !member->address.target->is_unix
               ? channel->tls[member->address.target - channel->targets->all]
               : NULL;
}

static struct client_link link_to(const struct client_channel *channel, const struct member *member) {
    return (struct client_link){.connection = member->connection,
                                .authority = member->address.target->authority,
                                .peer = member->address.target->text,
                                .is_tls = get_tls(channel, member) != NULL};
}

// False where it is well, or health is not asked for.
static bool has_bad_health(struct client_channel *channel, struct member *member, uint64_t deadline_ns) {
    if (!channel->options.health_service)
        return false;
    if (!member->health) {
        struct client_link link = link_to(channel, member);
        const struct client_request_options head = {
            .authority = link.authority, .user_agent = channel->options.user_agent, .is_tls = link.is_tls};
        member->health = client_health_new(member->connection, channel->options.health_service, &head);
        if (member->health)
            client_health_wait(member->health, deadline_ns);
    }
    if (member->health && client_health_is_serving(member->health))
        return false;
    client_failure_set(&channel->failure, STATUS_UNAVAILABLE, GRPC_CLIENT_NOT_SERVING,
                       "%s does not say that it is serving", member->address.target->text);
    return true;
}

static bool connect_member(struct client_channel *channel, struct member *member, uint64_t deadline_ns) {
    const struct client_channel_options *options = &channel->options;
    const struct client_connection_options connection = {.tls = get_tls(channel, member),
                                                         .clock = options->clock,
                                                         .keepalive_time_ns = options->keepalive_time_ns,
                                                         .keepalive_timeout_ns =
                                                             options->keepalive_timeout_ns};
    if (!connection.tls && !options->allow_plaintext && !client_address_is_local(&member->address)) {
        client_failure_set(&channel->failure, STATUS_INVALID, GRPC_CLIENT_PLAINTEXT_REFUSED,
                           "%s is on another machine, and without TLS secrets would go there in clear",
                           member->address.target->text);
        return false;
    }
    member->connection =
        client_connection_open(&member->address, &connection, deadline_ns, &channel->failure);
    return member->connection && !has_bad_health(channel, member, deadline_ns);
}

// Takes in what arrived since the last call.
static void settle(struct client_channel *channel, struct member *member) {
    if (!member->connection)
        return;
    if (!client_connection_is_usable(member->connection))
        disconnect(member);
    else if (has_bad_health(channel, member, now_ns(channel)))
        rest(channel, member);
}

// ---- all of them ----

static void describe(const struct client_channel *channel, struct client_choice *ret_choices) {
    for (size_t i = 0; i < channel->count; i++)
        ret_choices[i] = (struct client_choice){.is_ready = channel->members[i].connection != NULL,
                                                .not_before_ns = channel->members[i].not_before_ns};
}

static size_t pick(const struct client_channel *channel) {
    struct client_choice choices[CLIENT_ADDRESSES_MAX];
    describe(channel, choices);
    return client_pick(channel->options.picking, choices, channel->count, channel->last, now_ns(channel));
}

static size_t count_idle(const struct client_channel *channel) {
    size_t count = 0;
    for (size_t i = 0; i < channel->count; i++)
        count += !channel->members[i].connection && channel->members[i].not_before_ns <= now_ns(channel);
    return count;
}

// An even share of the time that is left, so that an address that swallows packets leaves some for the next
// ones.
static uint64_t share(const struct client_channel *channel, uint64_t deadline_ns) {
    uint64_t now = now_ns(channel);
    return now >= deadline_ns ? deadline_ns : now + (deadline_ns - now) / count_idle(channel);
}

// One pass over the addresses; NULL when none is to be had now.
static struct member *find_ready(struct client_channel *channel, uint64_t deadline_ns) {
    uint64_t connected_by_ns = now_ns(channel) + channel->options.connect_timeout_ns;
    if (connected_by_ns > deadline_ns)
        connected_by_ns = deadline_ns;
    for (;;) {
        size_t index = pick(channel);
        if (index == CLIENT_PICK_NONE)
            return NULL;
        struct member *member = &channel->members[index];
        bool is_ready =
            member->connection || connect_member(channel, member, share(channel, connected_by_ns));
        if (is_ready) {
            member->failures = 0;
            member->not_before_ns = 0;
            channel->last = index;
            return member;
        }
        // A caller in a hurry is no failure of the address's.
        if (now_ns(channel) >= deadline_ns) {
            disconnect(member);
            return NULL;
        }
        rest(channel, member);
    }
}

static enum status fail(const struct client_channel *channel, struct fault *fault) {
    const struct client_failure *failure = &channel->failure;
    return fault_set(fault, failure->status, failure->reason, "%s", failure->text);
}

// False when there is no sense in it: the deadline comes first, or time does not mend it.
static bool wait_for_rest(const struct client_channel *channel, uint64_t deadline_ns) {
    struct client_choice choices[CLIENT_ADDRESSES_MAX];
    describe(channel, choices);
    uint64_t wake_ns = client_pick_get_wake_ns(choices, channel->count);
    if (channel->count == 0) // the name was not found
        wake_ns = now_ns(channel) + NS_PER_SECOND;
    if (channel->failure.status != STATUS_UNAVAILABLE || wake_ns >= deadline_ns)
        return false;
    client_socket_wait(-1, 0, wake_ns, channel->options.clock);
    return true;
}

enum status client_channel_get(struct client_channel *channel, enum client_patience patience,
                               uint64_t deadline_ns, struct client_link *ret_link, struct fault *fault) {
    do {
        for (size_t i = 0; i < channel->count; i++)
            settle(channel, &channel->members[i]);
        resolve(channel);
        struct member *member = find_ready(channel, deadline_ns);
        if (member) {
            *ret_link = link_to(channel, member);
            return STATUS_OK;
        }
    } while (patience == CLIENT_WAITS && wait_for_rest(channel, deadline_ns));
    return fail(channel, fault);
}
