#include "services/console/console_flow.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/base/hex.h"
#include "common/base/random.h"
#include "common/crypto/digest.h"
#include "common/crypto/secret.h"

enum { KEY_BYTES = 32, BEGUN_BYTES = 8, BROWSER_MAX = 64, LABEL_BYTES = 8, BITS_PER_BYTE = 8 };
enum { NS_PER_MS = 1000000, BODY_MAX = CONSOLE_FLOW_ID_BYTES + CONSOLE_COMPANY_MAX };

struct used {
    uint64_t ends_ns; // 0 = free
    uint8_t id[CONSOLE_FLOW_ID_BYTES];
};

// A ring: all live equally long, so that the next place is free as soon as any is.
struct console_flows {
    uint8_t key[KEY_BYTES];
    uint64_t lifetime_ns;
    size_t max;
    pthread_mutex_t mutex; // of all below
    size_t next;
    struct used list[];
};

enum status console_flows_new(size_t max, int64_t lifetime_ms, struct console_flows **ret_flows) {
    struct console_flows *flows = calloc(1, sizeof(*flows) + max * sizeof(flows->list[0]));
    if (!flows)
        return STATUS_NO_MEMORY;
    random_fill(flows->key, sizeof(flows->key));
    flows->lifetime_ns = (uint64_t)lifetime_ms * NS_PER_MS;
    flows->max = max;
    pthread_mutex_init(&flows->mutex, NULL);
    *ret_flows = flows;
    return STATUS_OK;
}

void console_flows_free(struct console_flows *flows) {
    if (!flows)
        return;
    pthread_mutex_destroy(&flows->mutex);
    secret_wipe(flows->key, sizeof(flows->key));
    free(flows);
}

// ---- what only the two of us know ----

static uint64_t read_begun_ns(const uint8_t id[CONSOLE_FLOW_ID_BYTES]) {
    struct cursor cursor = cursor_of(bytes_of(id, BEGUN_BYTES));
    return cursor_read_u64(&cursor);
}

static void make_id(uint64_t now_ns, uint8_t ret_id[CONSOLE_FLOW_ID_BYTES]) {
    for (size_t i = 0; i < BEGUN_BYTES; i++)
        ret_id[i] = (uint8_t)(now_ns >> (BITS_PER_BYTE * (BEGUN_BYTES - 1 - i)));
    random_fill(ret_id + BEGUN_BYTES, CONSOLE_FLOW_ID_BYTES - BEGUN_BYTES);
}

// `label` has LABEL_BYTES, so that no two of them with what follows are the same; so does the browser's
// length.
static enum status derive(const struct console_flows *flows, const char label[LABEL_BYTES],
                          struct bytes browser, struct bytes body, struct digest *ret_digest) {
    uint8_t data[LABEL_BYTES + 1 + BROWSER_MAX + BODY_MAX];
    size_t len = 0;
    if (browser.len == 0 || browser.len > BROWSER_MAX || body.len > BODY_MAX)
        return STATUS_INVALID;
    memcpy(data, label, LABEL_BYTES);
    len += LABEL_BYTES;
    data[len++] = (uint8_t)browser.len;
    memcpy(data + len, browser.data, browser.len);
    len += browser.len;
    memcpy(data + len, body.data, body.len);
    len += body.len;
    enum status status =
        digest_hmac_sha256(bytes_of(flows->key, sizeof(flows->key)), bytes_of(data, len), ret_digest);
    secret_wipe(data, sizeof(data));
    return status;
}

static enum status derive_text(const struct console_flows *flows, const char label[LABEL_BYTES],
                               struct bytes browser, struct bytes body,
                               char ret_text[CONSOLE_FLOW_SECRET_LENGTH + 1]) {
    struct digest digest;
    enum status status = derive(flows, label, browser, body, &digest);
    if (status == STATUS_OK)
        hex_format(bytes_of(digest.bytes, sizeof(digest.bytes)), ret_text);
    secret_wipe(&digest, sizeof(digest));
    return status;
}

// All of it, from what its `id` and `company` are.
static enum status fill(const struct console_flows *flows, struct bytes browser, struct console_flow *flow) {
    uint8_t body[BODY_MAX];
    size_t company_len = strlen(flow->company), len = CONSOLE_FLOW_ID_BYTES + company_len;
    memcpy(body, flow->id, CONSOLE_FLOW_ID_BYTES);
    memcpy(body + CONSOLE_FLOW_ID_BYTES, flow->company, company_len);
    struct bytes whole = bytes_of(body, len);
    hex_format(whole, flow->state);
    enum status status = derive_text(flows, "state...", browser, whole, flow->state + 2 * len);
    if (status == STATUS_OK)
        status = derive_text(flows, "nonce...", browser, whole, flow->nonce);
    if (status == STATUS_OK)
        status = derive_text(flows, "verifier", browser, whole, flow->verifier);
    return status;
}

// ---- its life ----

enum status console_flows_begin(const struct console_flows *flows, struct bytes browser, const char *company,
                                uint64_t now_ns, struct console_flow *ret_flow) {
    *ret_flow = (struct console_flow){0};
    size_t len = strlen(company);
    if (len > CONSOLE_COMPANY_MAX)
        return STATUS_INVALID;
    make_id(now_ns, ret_flow->id);
    memcpy(ret_flow->company, company, len);
    return fill(flows, browser, ret_flow);
}

static bool read_state(struct bytes state, struct console_flow *flow) {
    enum { FIXED = CONSOLE_FLOW_ID_BYTES + CONSOLE_FLOW_DIGEST_BYTES };
    uint8_t bytes[CONSOLE_FLOW_STATE_MAX / 2];
    size_t len = state.len / 2;
    if (state.len > CONSOLE_FLOW_STATE_MAX || len < FIXED || !hex_parse(state, bytes, len))
        return false;
    memcpy(flow->id, bytes, CONSOLE_FLOW_ID_BYTES);
    memcpy(flow->company, bytes + CONSOLE_FLOW_ID_BYTES, len - FIXED);
    return memchr(flow->company, '\0', len - FIXED) == NULL;
}

// In the same time wherever they differ.
static bool is_same(const char *a, struct bytes b) {
    struct digest of_a, of_b;
    digest_sha256(bytes_of_text(a), &of_a);
    digest_sha256(b, &of_b);
    return digest_is_equal(&of_a, &of_b);
}

static bool is_live(const struct console_flows *flows, const struct console_flow *flow, uint64_t now_ns) {
    uint64_t begun_ns = read_begun_ns(flow->id);
    return begun_ns <= now_ns && now_ns - begun_ns < flows->lifetime_ns;
}

bool console_flows_find(const struct console_flows *flows, struct bytes browser, struct bytes state,
                        uint64_t now_ns, struct console_flow *ret_flow) {
    *ret_flow = (struct console_flow){0};
    bool is_found = read_state(state, ret_flow) && fill(flows, browser, ret_flow) == STATUS_OK &&
                    is_same(ret_flow->state, state) && is_live(flows, ret_flow, now_ns);
    if (!is_found)
        secret_wipe(ret_flow, sizeof(*ret_flow));
    return is_found;
}

static bool is_used(const struct console_flows *flows, const struct console_flow *flow) {
    for (size_t i = 0; i < flows->max; i++)
        if (flows->list[i].ends_ns > 0 && memcmp(flows->list[i].id, flow->id, sizeof(flow->id)) == 0)
            return true;
    return false;
}

bool console_flows_take(struct console_flows *flows, const struct console_flow *flow, uint64_t now_ns) {
    pthread_mutex_lock(&flows->mutex);
    struct used *used = &flows->list[flows->next];
    bool is_free = used->ends_ns <= now_ns && !is_used(flows, flow);
    if (is_free) {
        used->ends_ns = now_ns + flows->lifetime_ns;
        memcpy(used->id, flow->id, sizeof(used->id));
        flows->next = (flows->next + 1) % flows->max;
    }
    pthread_mutex_unlock(&flows->mutex);
    return is_free;
}
