// A token and a set of keys, both of somebody we know nothing of, and a discovery document. Nobody has the
// private parts of the fixed keys: no token is good by them.
#include <assert.h>
#include <string.h>

#include "common/openid/openid_document.h"
#include "common/openid/openid_token.h"
#include "common/protobuf/json_heap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ISSUER "https://id.example.com"

// With ' for ".
static char fixed_keys[] =
    "{'keys': [{'kty': 'RSA', 'use': 'sig', 'kid': 'one', 'n': 'o2W-NhCHTdOAc0SlHV2u4pbek"
    "YSOuBYQaxYHiMAxrZG-a5yP4uEMeFiwR3SlBSgONmrQe3hmvtX1Y9nGrKkI_nzpLOAhzO0VVhgidUO29lJZL"
    "fSChud5rORNUk1taqoWP1egTUVx30siNA7wmYMlNogbh-3GTw7u7J_KVgmEBASffnEtv7S3M-tWqilorFcFM"
    "6fq6NMvcAn6KeowuSB9IFudyClKGVTGWQxasB-G82bjoONM-PqTe_dsBHPVo2aWDOReVsqj99y-_y7cmmS6I"
    "TB5Zkn0qoSBEsPjzwMyk1g88GyXwq_pR0Z5HX8ZQfIrChmF3S7_DhREfh9F9FU5zw', 'e': 'AQAB'}, {'"
    "kty': 'EC', 'crv': 'P-256', 'use': 'sig', 'kid': 'two', 'x': 'f2fwUtfklLSLe8WR8feUXN"
    "JLzMXrzPOzs3wjbilIqww', 'y': 'huqyUOgGzFEPPdLIbmtj8vWoj-OE2tz9brw3J25thbw'}]}";

static const struct openid_expectation expected = {
    .issuer = ISSUER, .client_id = "console", .nonce = "n", .now_ms = 1767268800000, .skew_ms = 60000};

static void check_identity(const struct openid_identity *identity) {
    for (const char *text = identity->subject; *text; text++)
        assert((unsigned char)*text >= ' ' && *text != 0x7f);
    for (const char *text = identity->email; *text; text++)
        assert((unsigned char)*text >= ' ' && *text != 0x7f);
    assert(*identity->subject);
}

static json_t *read_fixed_keys(void) {
    for (char *quote = strchr(fixed_keys, '\''); quote; quote = strchr(quote, '\''))
        *quote = '"';
    return json_heap_load_object(bytes_of_text(fixed_keys));
}

static void check_token(struct bytes token, struct bytes text) {
    struct openid_identity identity = {0};
    json_t *fixed = read_fixed_keys(), *keys = json_heap_load_object(text);
    assert(fixed);
    assert(openid_token_check(token, fixed, &expected, &identity) != OPENID_GOOD && !*identity.subject);
    if (openid_token_check(token, keys, &expected, &identity) == OPENID_GOOD)
        check_identity(&identity);
    else
        assert(!*identity.subject && !*identity.email);
    json_decref(keys);
    json_decref(fixed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct openid_document document = {0};
    struct bytes rest = bytes_of(data, size), token = bytes_split(&rest, '\n');
    check_token(token, rest);
    if (!openid_document_read(rest, ISSUER, &document))
        assert(openid_url_is_safe(document.authorization_url) && openid_url_is_safe(document.token_url) &&
               openid_url_is_safe(document.keys_url));
    return 0;
}
