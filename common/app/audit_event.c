#include "common/app/audit_event.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/hex.h"
#include "common/base/typeid.h"

#define FORMAT "latchkey.audit.1"

static void put_big_endian(uint8_t *to, uint64_t value, size_t bytes) {
    for (size_t i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
}

static void add(struct buffer *to, struct bytes field) {
    uint8_t length[4];
    put_big_endian(length, field.len, sizeof(length));
    buffer_append(to, bytes_of(length, sizeof(length)));
    buffer_append(to, field);
}

static void add_text(struct buffer *to, const char *text) {
    add(to, bytes_of_text(text));
}

static void add_id(struct buffer *to, const char *prefix, struct uuid id) {
    add_text(to, uuid_is_zero(id) ? "" : typeid_of(prefix, id).text);
}

static void add_request_id(struct buffer *to, struct uuid id) {
    char text[UUID_TEXT_LENGTH + 1] = "";
    if (!uuid_is_zero(id))
        uuid_format(id, text);
    add_text(to, text);
}

static void add_count(struct buffer *to, int64_t count) {
    char text[24];
    snprintf(text, sizeof(text), "%" PRId64, count);
    add_text(to, text);
}

static void add_digest(struct buffer *to, const struct digest *digest) {
    char text[2 * DIGEST_LENGTH + 1];
    hex_format(bytes_of(digest->bytes, DIGEST_LENGTH), text);
    add_text(to, text);
}

static enum status finish(const struct buffer *scratch, struct digest *ret_digest) {
    if (scratch->failed)
        return STATUS_NO_MEMORY;
    digest_sha256(buffer_get_bytes(scratch), ret_digest);
    return STATUS_OK;
}

enum status audit_person_hash(const struct audit_person *person, struct buffer *scratch,
                              struct digest *ret_digest) {
    buffer_reset(scratch);
    add(scratch, person->salt);
    add(scratch, person->email);
    add(scratch, person->user_agent);
    add(scratch, person->client_ip);
    add(scratch, person->before);
    add(scratch, person->after);
    return finish(scratch, ret_digest);
}

enum status audit_event_hash(const struct audit_event *event, struct buffer *scratch,
                             struct digest *ret_content) {
    buffer_reset(scratch);
    add_text(scratch, FORMAT);
    add_id(scratch, TYPEID_AUDIT_EVENT, event->event_id);
    add_id(scratch, TYPEID_COMPANY, event->company_id);
    add_id(scratch, TYPEID_MEMBER, event->actor.member_id);
    add_id(scratch, TYPEID_TOKEN, event->actor.token_id);
    add_id(scratch, TYPEID_COMPANY, event->actor.operator_company_id);
    add(scratch, event->actor.system);
    add(scratch, event->action);
    add(scratch, event->object_id);
    add(scratch, event->before);
    add(scratch, event->after);
    add_request_id(scratch, event->request_id);
    add_count(scratch, event->count);
    if (event->has_person)
        add_digest(scratch, &event->person);
    else
        add_text(scratch, "");
    return finish(scratch, ret_content);
}

void audit_chain_hash(const struct digest *previous, int64_t number, int64_t at_us,
                      const struct digest *content, struct digest *ret_hash) {
    uint8_t link[DIGEST_LENGTH + 8 + 8 + DIGEST_LENGTH];
    memcpy(link, previous->bytes, DIGEST_LENGTH);
    put_big_endian(link + DIGEST_LENGTH, (uint64_t)number, 8);
    put_big_endian(link + DIGEST_LENGTH + 8, (uint64_t)at_us, 8);
    memcpy(link + DIGEST_LENGTH + 16, content->bytes, DIGEST_LENGTH);
    digest_sha256(bytes_of(link, sizeof(link)), ret_hash);
}
