// Any bytes as a pattern and as what a page presents: what comes out is canonical and stays so, and a pattern
// matches what it stands for and nothing beside it.
#include <assert.h>
#include <stdio.h>

#include "common/access/domain.h"
#include "common/access/domain_set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const struct domain_name *name) {
    assert(name->len > 0 && name->len <= DOMAIN_NAME_MAX && name->text[name->len] == '\0');
    assert(strspn(name->text, "abcdefghijklmnopqrstuvwxyz0123456789-.") == name->len);
    assert(name->text[0] != '.' && name->text[name->len - 1] != '.');
    struct domain_name again;
    assert(domain_parse_origin(domain_name_get_bytes(name), &again) == DOMAIN_PARSE_OK ||
           bytes_is_text(domain_name_get_bytes(name), "null"));
}

static void check_pattern(const struct domain_pattern *pattern) {
    char stored[DOMAIN_PATTERN_TEXT_MAX + 1], below[DOMAIN_PATTERN_TEXT_MAX + 1];
    struct domain_pattern again;
    domain_pattern_format(pattern, stored);
    assert(domain_pattern_parse(bytes_of_text(stored), &again) == DOMAIN_PARSE_OK);
    assert(again.is_wildcard == pattern->is_wildcard && strcmp(again.name.text, pattern->name.text) == 0);

    int len = snprintf(below, sizeof(below), "x.%s", pattern->name.text);
    struct bytes name = domain_name_get_bytes(&pattern->name), inside = bytes_of(below, (size_t)len);
    struct bytes beside = bytes_of(below + 1, inside.len - 1);
    assert(domain_pattern_matches(pattern, name) == !pattern->is_wildcard);
    assert(domain_pattern_matches(pattern, inside) == pattern->is_wildcard);
    assert(!domain_pattern_matches(pattern, beside));

    struct bytes text = bytes_of_text(stored);
    struct domain_set *set = domain_set_new(&text, 1);
    assert(set);
    assert((domain_set_find(set, name).len > 0) == !pattern->is_wildcard);
    assert((domain_set_find(set, inside).len > 0) == pattern->is_wildcard);
    domain_set_free(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes text = bytes_of(data, size);
    struct domain_pattern pattern;
    struct domain_name name;
    if (domain_pattern_parse(text, &pattern) == DOMAIN_PARSE_OK) {
        check_name(&pattern.name);
        check_pattern(&pattern);
    }
    if (domain_parse_origin(text, &name) == DOMAIN_PARSE_OK)
        check_name(&name);
    return 0;
}
