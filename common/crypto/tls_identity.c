// why a certificate with a strange name is refused whole, and not only that name: an authority that signs
// such a thing signs what others may read in another way.
#include "common/crypto/tls_identity.h"

#include <limits.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/tls_internal.h"

enum { SPIFFE_ID_MAX = 2048, TRUST_DOMAIN_MAX = 255, DNS_NAME_MAX = 255 };

#define SPIFFE_SCHEME "spiffe:"
#define DNS_PREFIX "dns:"

struct tls_identity *tls_identity_hold(struct tls_identity *identity) {
    if (identity)
        atomic_fetch_add_explicit(&identity->holders, 1, memory_order_relaxed);
    return identity;
}

void tls_identity_release(struct tls_identity *identity) {
    // acq_rel: what other holders have done comes before the end.
    if (identity && atomic_fetch_sub_explicit(&identity->holders, 1, memory_order_acq_rel) == 1)
        free(identity);
}

// ---- what names may look like ----

static bool is_word(struct bytes text) {
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = ascii_to_lower(text.data[i]);
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '.' && c != '-' && c != '_')
            return false;
    }
    return text.len > 0;
}

static bool is_lower(struct bytes text) {
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] != ascii_to_lower(text.data[i]))
            return false;
    return true;
}

static bool is_segment(struct bytes text) {
    return is_word(text) && !bytes_is_text(text, ".") && !bytes_is_text(text, "..");
}

// spiffe://trust.domain/path/of/segments; the path may be missing.
static bool is_spiffe_id(struct bytes text) {
    const struct bytes start = BYTES_LITERAL(SPIFFE_SCHEME "//");
    if (text.len > SPIFFE_ID_MAX || !bytes_has_prefix(text, start))
        return false;
    struct bytes rest = bytes_of(text.data + start.len, text.len - start.len);
    struct bytes domain = bytes_split(&rest, '/');
    if (!is_word(domain) || !is_lower(domain) || domain.len > TRUST_DOMAIN_MAX)
        return false;
    while (rest.data)
        if (!is_segment(bytes_split(&rest, '/')))
            return false;
    return true;
}

static bool is_printable(struct bytes text) {
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~')
            return false;
    return text.len > 0;
}

static bool is_dns_name(struct bytes text) {
    return is_printable(text) && text.len <= DNS_NAME_MAX;
}

bool tls_identity_has_form(struct bytes name) {
    const struct bytes prefix = BYTES_LITERAL(DNS_PREFIX);
    if (!bytes_has_prefix(name, prefix))
        return is_spiffe_id(name);
    struct bytes host = bytes_of(name.data + prefix.len, name.len - prefix.len);
    return is_dns_name(host) && is_lower(host);
}

// ---- what a certificate says ----

struct names {
    struct bytes spiffe_id; // data NULL = none
    struct bytes dns[TLS_IDENTITY_NAMES_MAX - 1];
    size_t dns_count, uri_count;
};

static struct bytes text_of(const ASN1_IA5STRING *string) {
    return bytes_of(ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string));
}

static bool add_uri(struct names *names, struct bytes uri) {
    names->uri_count++;
    const struct bytes scheme = BYTES_LITERAL(SPIFFE_SCHEME);
    if (uri.len < scheme.len || !bytes_is_equal_ignoring_case(bytes_of(uri.data, scheme.len), scheme))
        return is_printable(uri);
    names->spiffe_id = uri;
    return is_spiffe_id(uri);
}

static bool add_dns(struct names *names, struct bytes name) {
    if (!is_dns_name(name) || names->dns_count == ARRAY_LENGTH(names->dns))
        return false;
    names->dns[names->dns_count++] = name;
    return true;
}

static bool add_name(struct names *names, const GENERAL_NAME *name) {
    switch (name->type) {
    case GEN_URI: return add_uri(names, text_of(name->d.uniformResourceIdentifier));
    case GEN_DNS: return add_dns(names, text_of(name->d.dNSName));
    default: return true;
    }
}

static bool add_names(struct names *names, const GENERAL_NAMES *list) {
    for (int i = 0; i < sk_GENERAL_NAME_num(list); i++)
        if (!add_name(names, sk_GENERAL_NAME_value(list, i)))
            return false;
    return !names->spiffe_id.data || names->uri_count == 1;
}

// ---- the identity ----

static size_t measure(const struct names *names) {
    size_t size = names->spiffe_id.data ? names->spiffe_id.len + 1 : 0;
    for (size_t i = 0; i < names->dns_count; i++)
        size += strlen(DNS_PREFIX) + names->dns[i].len + 1;
    return size;
}

static char *put(char *to, struct bytes text) {
    memcpy(to, text.data, text.len);
    to[text.len] = '\0';
    return to + text.len + 1;
}

static void fill(struct tls_identity *identity, const struct names *names, char *text) {
    if (names->spiffe_id.data) {
        identity->names[identity->count++] = text;
        text = put(text, names->spiffe_id);
    }
    for (size_t i = 0; i < names->dns_count; i++) {
        identity->names[identity->count++] = text;
        memcpy(text, DNS_PREFIX, strlen(DNS_PREFIX));
        char *name = text + strlen(DNS_PREFIX);
        text = put(name, names->dns[i]);
        for (; *name; name++)
            *name = (char)ascii_to_lower((uint8_t)*name);
    }
}

static enum status make(const struct names *names, struct tls_identity **ret_identity) {
    size_t count = names->dns_count + (names->spiffe_id.data ? 1 : 0);
    if (count == 0) {
        *ret_identity = NULL;
        return STATUS_OK;
    }
    struct tls_identity *identity =
        calloc(1, sizeof(*identity) + count * sizeof(identity->names[0]) + measure(names));
    if (!identity)
        return STATUS_NO_MEMORY;
    atomic_init(&identity->holders, 1);
    fill(identity, names, (char *)&identity->names[count]);
    *ret_identity = identity;
    return STATUS_OK;
}

// NULL with *ret_is_sound false when they are there and can't be read.
static GENERAL_NAMES *read_names(const X509 *certificate, bool *ret_is_sound) {
    int critical = -1;
    GENERAL_NAMES *list = X509_get_ext_d2i(certificate, NID_subject_alt_name, &critical, NULL);
    *ret_is_sound = list || critical == -1;
    return list;
}

enum status tls_identity_of_certificate(const X509 *certificate, struct tls_identity **ret_identity) {
    struct names names = {0};
    bool is_sound;
    GENERAL_NAMES *list = read_names(certificate, &is_sound);
    is_sound = is_sound && (!list || add_names(&names, list));
    uint32_t flags = X509_get_extension_flags((X509 *)certificate);
    // An authority's certificate signs; it is nobody (SPIFFE X.509-SVID, 4.1).
    bool is_nobody = names.spiffe_id.data && flags & EXFLAG_CA;
    enum status status = STATUS_INVALID;
    if (is_sound && !is_nobody && !(flags & EXFLAG_INVALID))
        status = make(&names, ret_identity);
    GENERAL_NAMES_free(list);
    return status;
}

enum status tls_identity_parse(struct bytes der, struct tls_identity **ret_identity) {
    const unsigned char *at = der.data;
    X509 *certificate = der.len <= LONG_MAX ? d2i_X509(NULL, &at, (long)der.len) : NULL;
    if (!certificate)
        return STATUS_INVALID;
    enum status status = STATUS_INVALID;
    if (at == der.data + der.len)
        status = tls_identity_of_certificate(certificate, ret_identity);
    X509_free(certificate);
    return status;
}
