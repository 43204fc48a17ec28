// TypeIDs (https://github.com/jetify-com/typeid, specification v0.3): a prefix, `_`, and the 26 base32
// characters of a UUID. The service uses the fixed prefixes below; parsing also checks that the prefix is the
// one expected.
#ifndef LATCHKEY_COMMON_BASE_TYPEID_H
#define LATCHKEY_COMMON_BASE_TYPEID_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/compiler.h"
#include "common/base/uuid.h"

#define TYPEID_PREFIX_MAX 63
#define TYPEID_SUFFIX_LENGTH 26
#define TYPEID_TEXT_MAX (TYPEID_PREFIX_MAX + 1 + TYPEID_SUFFIX_LENGTH)

#define TYPEID_COMPANY "cmp"
#define TYPEID_MEMBER "mbr"
#define TYPEID_ROLE "rol"
#define TYPEID_TOKEN "tok"
#define TYPEID_ENTRY "ent"
#define TYPEID_DRAFT "dra"
#define TYPEID_INVITATION "inv"
#define TYPEID_AUDIT_EVENT "aud"

// Long enough for the prefixes above.
struct typeid {
    char text[3 + 1 + TYPEID_SUFFIX_LENGTH + 1];
};

// `prefix` is one of the constants above; a company's id reads typeid_of(TYPEID_COMPANY, uuid).text.
struct typeid typeid_of(const char *prefix, struct uuid uuid);

// Many, each as typeid_of() has it, in the arena; NULL when out of memory.
MUST_CHECK char **typeid_list_format(const char *prefix, const struct uuid *uuids, size_t count,
                                     struct arena *arena);

// Any valid prefix, also the empty one. `ret_text` has room for TYPEID_TEXT_MAX + 1.
void typeid_format(struct bytes prefix, struct uuid uuid, char *ret_text);

// True only for exactly `prefix`, `_` and a valid suffix.
MUST_CHECK bool typeid_parse(struct bytes text, const char *prefix, struct uuid *ret_uuid);

// Any valid prefix (at most 63 of [a-z_], not beginning or ending with `_`); `*ret_prefix` borrows from
// `text`.
MUST_CHECK bool typeid_parse_any(struct bytes text, struct bytes *ret_prefix, struct uuid *ret_uuid);

#endif
