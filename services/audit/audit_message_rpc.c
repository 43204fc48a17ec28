#include "services/audit/audit_message_rpc.h"

#include "common/app/audit_diff.h"
#include "common/base/typeid.h"

#define US_PER_SECOND 1000000

// A message with the parts of it that have a fixed size, so that one allocation makes it.
struct event_block {
    Latchkey__V1__AuditEvent message;
    Latchkey__V1__AuditActor actor;
    Google__Protobuf__Timestamp at;
    struct typeid event_id, company_id, member_id, token_id, operator_company_id;
    char request_id[UUID_TEXT_LENGTH + 1];
    struct digest hash;
};

static char *fill_id(struct typeid *memory, const char *prefix, struct uuid id) {
    if (uuid_is_zero(id))
        memory->text[0] = '\0';
    else
        *memory = typeid_of(prefix, id);
    return memory->text;
}

static void fill_actor(struct event_block *block, const struct audit_actor *actor) {
    latchkey__v1__audit_actor__init(&block->actor);
    block->actor.member_id = fill_id(&block->member_id, TYPEID_MEMBER, actor->member_id);
    block->actor.token_id = fill_id(&block->token_id, TYPEID_TOKEN, actor->token_id);
    block->actor.operator_company_id =
        fill_id(&block->operator_company_id, TYPEID_COMPANY, actor->operator_company_id);
    block->message.actor = &block->actor;
}

// Microseconds stay: they are a part of what is hashed.
static void fill_time(struct event_block *block, int64_t at_us) {
    google__protobuf__timestamp__init(&block->at);
    int64_t part_us = ((at_us % US_PER_SECOND) + US_PER_SECOND) % US_PER_SECOND;
    block->at.seconds = (at_us - part_us) / US_PER_SECOND;
    block->at.nanos = (int32_t)(part_us * 1000);
    block->message.at = &block->at;
}

static void fill_fixed(struct event_block *block, const struct audit_record *record) {
    const struct audit_event *event = &record->event;
    Latchkey__V1__AuditEvent *message = &block->message;
    message->event_id = fill_id(&block->event_id, TYPEID_AUDIT_EVENT, event->event_id);
    message->company_id = fill_id(&block->company_id, TYPEID_COMPANY, event->company_id);
    message->sequence = (uint64_t)record->number;
    message->count = (uint64_t)event->count;
    message->erased = event->has_person && !record->is_person_there;
    if (!uuid_is_zero(event->request_id))
        uuid_format(event->request_id, block->request_id);
    message->request_id = block->request_id;
    block->hash = record->hash;
    message->hash = (ProtobufCBinaryData){DIGEST_LENGTH, block->hash.bytes};
    fill_actor(block, &event->actor);
    fill_time(block, record->at_us);
}

static char *join(struct bytes plain, struct bytes personal, struct arena *arena) {
    struct audit_json json = {arena_copy_bytes(arena, plain), arena_copy_bytes(arena, personal)};
    return json.plain && json.personal ? (char *)audit_json_join(&json, arena) : NULL;
}

static bool fill_texts(Latchkey__V1__AuditEvent *message, const struct audit_record *record,
                       struct arena *arena) {
    const struct audit_person *person = &record->person;
    message->action = arena_copy_bytes(arena, record->event.action);
    message->object_id = arena_copy_bytes(arena, record->event.object_id);
    message->before = join(record->event.before, person->before, arena);
    message->after = join(record->event.after, person->after, arena);
    message->client_ip = arena_copy_bytes(arena, person->client_ip);
    message->user_agent = arena_copy_bytes(arena, person->user_agent);
    message->actor->email = arena_copy_bytes(arena, person->email);
    message->actor->system = arena_copy_bytes(arena, record->event.actor.system);
    return message->action && message->object_id && message->before && message->after && message->client_ip &&
           message->user_agent && message->actor->email && message->actor->system;
}

Latchkey__V1__AuditEvent *audit_message_new(const struct audit_record *record, struct arena *arena) {
    struct event_block *block = ARENA_NEW(arena, struct event_block);
    if (!block)
        return NULL;
    latchkey__v1__audit_event__init(&block->message);
    fill_fixed(block, record);
    return fill_texts(&block->message, record, arena) ? &block->message : NULL;
}
