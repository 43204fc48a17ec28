#include "tests/integration/validator/image_dump.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "services/validator/image/image_internal.h"
#include "tests/unit/unit.h"

struct dump {
    const struct image *image;
    const struct ip_address *probes;
    size_t probe_count;
    int64_t now_ms;
    struct arena arena;
    struct buffer line;
    char **lines;
    size_t count, capacity;
};

static void end_line(struct dump *dump) {
    buffer_append_byte(&dump->line, '\0');
    assert_false(dump->line.failed);
    if (dump->count == dump->capacity) {
        dump->capacity = dump->capacity ? dump->capacity * 2 : 256;
        dump->lines = realloc(dump->lines, dump->capacity * sizeof(char *));
        assert_non_null(dump->lines);
    }
    dump->lines[dump->count++] = strdup((char *)dump->line.data);
    buffer_reset(&dump->line);
}

static void write_list(struct dump *dump, const struct ip_set *ips) {
    assert_true(!ips || !ip_set_check(ips));
    buffer_append_text(&dump->line, " ips=");
    for (size_t i = 0; i < dump->probe_count; i++)
        buffer_append_byte(&dump->line, ip_set_contains(ips, &dump->probes[i], dump->now_ms) ? '1' : '0');
}

static void write_ips(struct dump *dump, const struct ip_set *ips) {
    if (ips)
        write_list(dump, ips);
    else
        buffer_append_text(&dump->line, " ips=any");
}

static void write_permissions(struct dump *dump, const struct permission_set *set) {
    const struct bytes *names;
    size_t count;
    assert_true(
        permission_catalogue_list(image_get_catalogue(dump->image), set, &dump->arena, &names, &count));
    buffer_append_text(&dump->line, " permissions=");
    for (size_t i = 0; i < count; i++)
        buffer_append_format(&dump->line, "%.*s,", BYTES_FORMAT(names[i]));
}

static void write_policy(struct dump *dump, const struct policy *policy) {
    write_permissions(dump, policy_get_granted(policy));
    write_ips(dump, policy->ips);
    buffer_append_format(&dump->line, " prefixes=%zu domains=%016" PRIx64 " grants=",
                         policy->ips ? ip_set_get_count(policy->ips) : 0,
                         policy->domains ? domain_set_get_hash(policy->domains, (uint64_t[2]){1, 2}) : 0);
    for (size_t i = 0; i < policy->grants_len; i++)
        buffer_append_format(&dump->line, "%02x", (unsigned char)policy->grants[i]);
}

static void write_uuid(struct dump *dump, const char *name, struct uuid uuid) {
    char text[UUID_TEXT_LENGTH + 1];
    uuid_format(uuid, text);
    buffer_append_format(&dump->line, " %s=%s", name, text);
}

static void write_owner(struct dump *dump, const struct token_record *record) {
    size_t cursor = 0;
    for (const struct company *company; (company = uuid_index_next_of_all(&dump->image->companies, &cursor));)
        if (company->number == image_get_company_number(dump->image, record))
            write_uuid(dump, "company", company->company_id);
    cursor = 0;
    for (const struct member *member; (member = uuid_index_next_of_all(&dump->image->members, &cursor));)
        if (record->has_member && member->number == record->owner)
            write_uuid(dump, "member", member->member_id);
}

static void write_token(struct dump *dump, const struct token_record *record) {
    buffer_append_text(&dump->line, "token ");
    buffer_append_format(&dump->line, "%016" PRIx64 "%016" PRIx64, record->fingerprint.words[0],
                         record->fingerprint.words[1]);
    write_uuid(dump, "id", record->token_id);
    write_owner(dump, record);
    buffer_append_format(&dump->line, " kind=%u channels=%u deactivated=%d suspended=%d ends=%" PRId64,
                         record->kind, record->channels, record->is_deactivated, record->is_suspended,
                         token_record_get_expires_at_ms(record));
    const struct token_extra *extra = image_get_extra(dump->image, record);
    if (extra)
        buffer_append_format(&dump->line, " from=%" PRId64 " until=%" PRId64 " external=%.*s",
                             extra->not_before_ms, extra->suspended_until_ms, (int)extra->external_id_len,
                             extra->external_id);
    write_policy(dump, image_get_policy(dump->image, record));
    end_line(dump);
}

static void write_company(struct dump *dump, const struct company *company) {
    const struct company_facts *facts =
        atomic_load(&image_get_company_cell(dump->image, company->number)->facts);
    if (!facts)
        return;
    buffer_append_format(&dump->line, "company %s lane=%u suspended=%d whitelist=%d scope=%u external=%.*s",
                         facts->id_text, facts->lane, facts->is_suspended, facts->is_whitelist_enabled,
                         facts->whitelist_scope, (int)facts->external_id_len, facts->external_id);
    write_list(dump, facts->ips); // no list is an empty one
    end_line(dump);
}

static void write_member(struct dump *dump, const struct member *member) {
    const struct member_facts *facts =
        atomic_load(&image_get_member_cell(dump->image, member->number)->facts);
    if (!facts)
        return;
    buffer_append_format(&dump->line, "member %s removed=%d", facts->id_text, facts->is_removed);
    write_uuid(dump, "company", member->company->company_id);
    write_permissions(dump, facts->permissions);
    write_ips(dump, facts->ips);
    end_line(dump);
}

static void write_positions(struct dump *dump) {
    const struct positions *positions = lanes_get_positions(image_get_lanes(dump->image));
    for (unsigned lane = 0; lane < LANE_COUNT; lane++) {
        buffer_append_format(&dump->line, "lane %u seq=%" PRId64 " mark=%" PRId64, lane,
                             positions->seqs[lane], positions->marks[lane]);
        end_line(dump);
    }
}

static int compare_lines(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *join(struct dump *dump) {
    qsort(dump->lines, dump->count, sizeof(char *), compare_lines);
    struct buffer all = {0};
    for (size_t i = 0; i < dump->count; i++) {
        buffer_append_format(&all, "%s\n", dump->lines[i]);
        free(dump->lines[i]);
    }
    free(dump->lines);
    buffer_append_byte(&all, '\0');
    assert_false(all.failed);
    return (char *)all.data;
}

char *image_dump(const struct image *image, const struct ip_address *probes, size_t probe_count,
                 int64_t now_ms) {
    struct dump dump = {.image = image, .probes = probes, .probe_count = probe_count, .now_ms = now_ms};
    arena_init(&dump.arena, 0);
    assert_null(token_table_check(image->tokens));
    uint32_t number = SLAB_NONE;
    for (const struct token_record *record; (record = slab_next(&image->records, &number));)
        if (record->state != TOKEN_FREE)
            write_token(&dump, record);
    size_t cursor = 0;
    for (const struct company *company; (company = uuid_index_next_of_all(&image->companies, &cursor));)
        write_company(&dump, company);
    cursor = 0;
    for (const struct member *member; (member = uuid_index_next_of_all(&image->members, &cursor));)
        write_member(&dump, member);
    write_positions(&dump);
    char *text = join(&dump);
    arena_fini(&dump.arena);
    buffer_fini(&dump.line);
    return text;
}
