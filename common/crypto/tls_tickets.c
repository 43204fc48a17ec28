#include "common/crypto/tls_tickets.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/random.h"

#define PERIOD_NS (UINT64_C(1000000000) * TLS_TICKET_LIFE_S)

enum { NAME_LENGTH = 16, KEY_LENGTH = 32, IV_LENGTH = 16 };

// The library's answers of its callback.
enum { TICKET_FAILED = -1, TICKET_UNKNOWN = 0, TICKET_GOOD = 1, TICKET_GOOD_BUT_OLD = 2 };

struct ticket_key {
    uint8_t name[NAME_LENGTH];
    uint8_t cipher[KEY_LENGTH], mac[KEY_LENGTH];
};

struct tls_tickets {
    const struct clock *clock;
    pthread_mutex_t mutex;
    // Under `mutex`.
    struct ticket_key present, previous;
    uint64_t since_ns; // when the present one began
    bool has_previous;
};

static void renew(struct tls_tickets *tickets, uint64_t now_ns) {
    random_fill(&tickets->present, sizeof(tickets->present));
    tickets->since_ns = now_ns;
}

struct tls_tickets *tls_tickets_new(const struct clock *clock) {
    struct tls_tickets *tickets = calloc(1, sizeof(*tickets));
    if (!tickets)
        return NULL;
    tickets->clock = clock;
    pthread_mutex_init(&tickets->mutex, NULL);
    renew(tickets, clock_get_monotonic_ns(clock));
    return tickets;
}

void tls_tickets_free(struct tls_tickets *tickets) {
    if (!tickets)
        return;
    pthread_mutex_destroy(&tickets->mutex);
    OPENSSL_cleanse(tickets, sizeof(*tickets));
    free(tickets);
}

// After two periods without any session the previous key is too old as well.
static void rotate(struct tls_tickets *tickets) {
    uint64_t now_ns = clock_get_monotonic_ns(tickets->clock);
    uint64_t age_ns = now_ns - tickets->since_ns;
    if (age_ns < PERIOD_NS)
        return;
    tickets->has_previous = age_ns < 2 * PERIOD_NS;
    tickets->previous = tickets->present;
    renew(tickets, now_ns);
}

static int find_key(struct tls_tickets *tickets, const uint8_t *name, struct ticket_key *ret_key) {
    int found = TICKET_UNKNOWN;
    pthread_mutex_lock(&tickets->mutex);
    rotate(tickets);
    if (!name || memcmp(tickets->present.name, name, NAME_LENGTH) == 0) {
        *ret_key = tickets->present;
        found = TICKET_GOOD;
    } else if (tickets->has_previous && memcmp(tickets->previous.name, name, NAME_LENGTH) == 0) {
        *ret_key = tickets->previous;
        found = TICKET_GOOD_BUT_OLD;
    }
    pthread_mutex_unlock(&tickets->mutex);
    return found;
}

static bool set_mac_key(EVP_MAC_CTX *mac, struct ticket_key *key) {
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, KEY_LENGTH),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(mac, params) == 1;
}

static int on_ticket(SSL *connection, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int is_new) {
    struct tls_tickets *tickets = SSL_CTX_get_app_data(SSL_get_SSL_CTX(connection));
    struct ticket_key key;
    int found = find_key(tickets, is_new ? NULL : name, &key);
    if (found == TICKET_UNKNOWN)
        return TICKET_UNKNOWN;
    if (is_new) {
        memcpy(name, key.name, NAME_LENGTH);
        random_fill(iv, IV_LENGTH);
    }
    bool is_set = EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.cipher, iv, is_new) == 1 &&
                  set_mac_key(mac, &key);
    OPENSSL_cleanse(&key, sizeof(key));
    return is_set ? found : TICKET_FAILED;
}

bool tls_tickets_use(struct tls_tickets *tickets, SSL_CTX *context) {
    SSL_CTX_set_timeout(context, TLS_TICKET_LIFE_S);
    SSL_CTX_set_app_data(context, tickets);
    return SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket) == 1;
}
