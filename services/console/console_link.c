#include "services/console/console_link.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/base/random.h"
#include "common/crypto/digest.h"
#include "common/crypto/secret.h"

struct link {
    uint64_t ends_ns; // 0 = free
    bool is_taken;
    struct digest secret, browser;
    struct ip_address asker; // of IPv6 the first half
    struct console_person person;
};

enum { ASKERS = 4, NETWORK_BYTES = 8 };

// A ring: all live equally long, so that the next place is free as soon as any is.
struct console_links {
    struct console_links_options options;
    pthread_mutex_t mutex; // of all below
    size_t next;
    struct link list[];
};

enum status console_links_new(const struct console_links_options *options, struct console_links **ret_links) {
    struct console_links *links = calloc(1, sizeof(*links) + options->max * sizeof(links->list[0]));
    if (!links)
        return STATUS_NO_MEMORY;
    links->options = *options;
    pthread_mutex_init(&links->mutex, NULL);
    *ret_links = links;
    return STATUS_OK;
}

void console_links_free(struct console_links *links) {
    if (!links)
        return;
    pthread_mutex_destroy(&links->mutex);
    secret_wipe(links->list, links->options.max * sizeof(links->list[0]));
    free(links);
}

static bool is_live(const struct link *link, uint64_t now_ns) {
    return link->ends_ns > now_ns;
}

// Whichever company is named, and however: it all comes to one mailbox.
static bool is_of(const struct link *link, const struct console_person *person) {
    return bytes_is_equal_ignoring_case(bytes_of_text(link->person.email), bytes_of_text(person->email));
}

// One who has the network has all of its addresses.
static struct ip_address find_network(const struct ip_address *address) {
    struct ip_address network = *address;
    if (network.family == IP_FAMILY_V6)
        memset(network.bytes + NETWORK_BYTES, 0, sizeof(network.bytes) - NETWORK_BYTES);
    return network;
}

static bool has_room(const struct console_links *links, const struct console_person *person,
                     const struct ip_address *asker, uint64_t now_ns) {
    size_t count = 0, count_of_asker = 0, max = links->options.per_address;
    for (size_t i = 0; i < links->options.max; i++) {
        const struct link *link = &links->list[i];
        if (!is_live(link, now_ns) || !is_of(link, person))
            continue;
        count++;
        count_of_asker += ip_address_is_equal(&link->asker, asker);
    }
    return !is_live(&links->list[links->next], now_ns) && count_of_asker < max && count < ASKERS * max;
}

static void make_secret(struct link *link, char ret_secret[CONSOLE_LINK_SECRET_LENGTH + 1]) {
    uint8_t random[32];
    random_fill(random, sizeof(random));
    base62_encode_256(random, ret_secret);
    ret_secret[CONSOLE_LINK_SECRET_LENGTH] = '\0';
    secret_wipe(random, sizeof(random));
    digest_sha256(bytes_of_text(ret_secret), &link->secret);
}

enum status console_links_add(struct console_links *links, const struct console_person *person,
                              const struct ip_address *asker, struct bytes browser, uint64_t now_ns,
                              char ret_secret[CONSOLE_LINK_SECRET_LENGTH + 1]) {
    struct ip_address network = find_network(asker);
    pthread_mutex_lock(&links->mutex);
    bool is_added = has_room(links, person, &network, now_ns);
    if (is_added) {
        struct link *link = &links->list[links->next];
        links->next = (links->next + 1) % links->options.max;
        *link = (struct link){.ends_ns = now_ns + (uint64_t)links->options.lifetime_ms * 1000000,
                              .asker = network,
                              .person = *person};
        make_secret(link, ret_secret);
        digest_sha256(browser, &link->browser);
    }
    pthread_mutex_unlock(&links->mutex);
    return is_added ? STATUS_OK : STATUS_EXHAUSTED;
}

static struct link *find(struct console_links *links, struct bytes secret) {
    struct digest digest;
    digest_sha256(secret, &digest);
    for (size_t i = 0; i < links->options.max; i++)
        if (links->list[i].ends_ns > 0 && digest_is_equal(&links->list[i].secret, &digest))
            return &links->list[i];
    return NULL;
}

enum console_link_state console_links_take(struct console_links *links, struct bytes secret,
                                           struct bytes browser, uint64_t now_ns,
                                           struct console_person *ret_person) {
    enum console_link_state state = CONSOLE_LINK_BROKEN;
    struct digest digest;
    digest_sha256(browser, &digest);
    pthread_mutex_lock(&links->mutex);
    struct link *link = find(links, secret);
    if (link && is_live(link, now_ns) && !link->is_taken)
        state = browser.len > 0 && digest_is_equal(&link->browser, &digest) ? CONSOLE_LINK_TAKEN
                                                                            : CONSOLE_LINK_OF_OTHER_BROWSER;
    if (state == CONSOLE_LINK_TAKEN) {
        link->is_taken = true;
        *ret_person = link->person;
    }
    pthread_mutex_unlock(&links->mutex);
    return state;
}

void console_links_give_back(struct console_links *links, struct bytes secret) {
    pthread_mutex_lock(&links->mutex);
    struct link *link = find(links, secret);
    if (link)
        link->is_taken = false;
    pthread_mutex_unlock(&links->mutex);
}
