#include "common/app/audit.h"

#include <assert.h>
#include <string.h>

#include "common/app/audit_event.h"
#include "common/base/random.h"
#include "common/base/typeid.h"

#define USER_AGENT_MAX 500 // characters
static_assert(AUDIT_COMPANIES_MAX + 2 <= DB_LAST_STATEMENTS_MAX, "and one of the handler, one of the frame");

enum { APPEND };

static const struct db_statement statements[] = {
    [APPEND] = {"audit_append", "SELECT latchkey.audit_append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,"
                                " $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)"},
};

// ---- notes ----

static enum status add(struct app_call *call, const struct audit_note *from) {
    struct audit_note *note = ARENA_NEW(call->arena, struct audit_note);
    if (!note)
        return fault_set_no_memory(call->fault);
    *note = *from;
    note->company_id = call->company_id;
    note->object_id = arena_copy_text(call->arena, from->object_id);
    if (!note->object_id)
        return fault_set_no_memory(call->fault);
    note->next = call->notes;
    call->notes = note;
    return STATUS_OK;
}

enum status audit_note(struct app_call *call, const char *action, const char *object_id,
                       const ProtobufCMessage *before, const ProtobufCMessage *after) {
    struct audit_note note = {.action = action, .object_id = object_id, .count = 1};
    bool differs;
    enum status status = audit_diff(before, after, call->arena, &note.before, &note.after, &differs);
    if (status != STATUS_OK)
        return fault_set_no_memory(call->fault);
    return differs ? add(call, &note) : STATUS_OK;
}

static enum status note_texts(struct app_call *call, struct audit_note *note, const char *before,
                              const char *after) {
    enum status status = audit_diff_texts(before, after, call->arena, &note->before, &note->after);
    return status == STATUS_OK ? add(call, note) : db_fault(call->fault, status);
}

enum status audit_note_text(struct app_call *call, const char *action, const char *object_id,
                            const char *before, const char *after) {
    struct audit_note note = {.action = action, .object_id = object_id, .count = 1};
    return note_texts(call, &note, before, after);
}

enum status audit_note_many(struct app_call *call, const char *action, const char *object_id,
                            const char *after, int64_t count) {
    struct audit_note note = {.action = action, .object_id = object_id, .count = count};
    return note_texts(call, &note, "", after);
}

enum status audit_note_refusal_text(struct app_call *call, const char *action, const char *object_id,
                                    const char *after) {
    struct audit_note note = {.action = action, .object_id = object_id, .count = 1, .is_refusal = true};
    return note_texts(call, &note, "", after);
}

// ---- from the notes of one company to the parameters of its statement ----

// The columns that differ from event to event; the arrays of audit_append().
struct rows {
    size_t count;
    struct uuid *events;
    struct bytes *actions, *objects, *befores, *afters, *person_befores, *person_afters;
    int64_t *counts, *refusals_max;
    struct bytes *contents, *persons, *salts;
};

// What all events of the call have in common.
struct author {
    struct audit_actor actor;
    struct bytes email, user_agent;
    char client_ip[IP_ADDRESS_TEXT_MAX + 1];
};

// Cut to what is kept of it. A header may hold any bytes: one that is no text says nothing.
static struct bytes read_user_agent(struct bytes header) {
    size_t len = 0;
    if (!bytes_is_utf8(header) || (header.len > 0 && memchr(header.data, 0, header.len)))
        return BYTES_EMPTY;
    for (size_t i = 0; i < USER_AGENT_MAX && len < header.len; i++)
        len += bytes_measure_code_point(bytes_of(header.data + len, header.len - len));
    return bytes_of(header.data, len);
}

static void read_author(const struct app_call *call, struct uuid company_id, struct author *ret_author) {
    const struct caller *caller = call->caller;
    *ret_author = (struct author){.actor.system = bytes_of_text(call->system),
                                  .user_agent = read_user_agent(call->user_agent)};
    if (call->address.family != IP_FAMILY_NONE)
        ip_address_format(&call->address, ret_author->client_ip);
    if (!caller)
        return;
    ret_author->actor.member_id = caller->member_id;
    ret_author->actor.token_id = caller->token_id;
    if (!uuid_is_equal(caller->home_company_id, company_id))
        ret_author->actor.operator_company_id = caller->home_company_id;
    ret_author->email = bytes_of_text(caller->member_email);
}

static bool init_rows(struct rows *rows, size_t count, struct arena *arena) {
    struct bytes **texts[] = {&rows->actions, &rows->objects,        &rows->befores,
                              &rows->afters,  &rows->contents,       &rows->persons,
                              &rows->salts,   &rows->person_befores, &rows->person_afters};
    *rows = (struct rows){.events = ARENA_NEW_ARRAY(arena, struct uuid, count),
                          .counts = ARENA_NEW_ARRAY(arena, int64_t, count),
                          .refusals_max = ARENA_NEW_ARRAY(arena, int64_t, count)};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        if (!(*texts[i] = ARENA_NEW_ARRAY(arena, struct bytes, count)))
            return false;
    return rows->events && rows->counts && rows->refusals_max;
}

static bool says_something(const struct audit_person *person) {
    return person->email.len + person->user_agent.len + person->client_ip.len + person->before.len +
               person->after.len >
           0;
}

static bool make_salt(struct arena *arena, struct bytes *ret_salt) {
    uint8_t *salt = arena_allocate(arena, AUDIT_SALT_LENGTH);
    if (salt)
        random_fill(salt, AUDIT_SALT_LENGTH);
    *ret_salt = bytes_of(salt, AUDIT_SALT_LENGTH);
    return salt != NULL;
}

static bool add_person(struct rows *rows, size_t i, const struct author *author, struct arena *arena,
                       struct buffer *scratch, struct audit_event *event) {
    struct audit_person person = {.email = author->email,
                                  .user_agent = author->user_agent,
                                  .client_ip = bytes_of_text(author->client_ip),
                                  .before = rows->person_befores[i],
                                  .after = rows->person_afters[i]};
    if (!says_something(&person))
        return true;
    struct digest *digest = ARENA_NEW(arena, struct digest);
    if (!digest || !make_salt(arena, &person.salt) ||
        audit_person_hash(&person, scratch, digest) != STATUS_OK)
        return false;
    event->has_person = true;
    event->person = *digest;
    rows->salts[i] = person.salt;
    rows->persons[i] = bytes_of(digest->bytes, DIGEST_LENGTH);
    return true;
}

static bool add_row(struct rows *rows, const struct app_call *call, const struct audit_note *note,
                    const struct author *author, struct buffer *scratch) {
    size_t i = rows->count++;
    rows->events[i] = uuid_new(clock_get_system());
    rows->actions[i] = bytes_of_text(note->action);
    rows->objects[i] = bytes_of_text(note->object_id);
    rows->befores[i] = bytes_of_text(note->before.plain);
    rows->afters[i] = bytes_of_text(note->after.plain);
    rows->person_befores[i] = bytes_of_text(note->before.personal);
    rows->person_afters[i] = bytes_of_text(note->after.personal);
    rows->counts[i] = note->count;
    rows->refusals_max[i] = note->is_refusal ? AUDIT_REFUSALS_MAX : 0;
    struct audit_event event = {.event_id = rows->events[i],
                                .company_id = note->company_id,
                                .actor = author->actor,
                                .action = rows->actions[i],
                                .object_id = rows->objects[i],
                                .before = rows->befores[i],
                                .after = rows->afters[i],
                                .request_id = call->request_id,
                                .count = note->count};
    struct digest *content = ARENA_NEW(call->arena, struct digest);
    if (!content || !add_person(rows, i, author, call->arena, scratch, &event) ||
        audit_event_hash(&event, scratch, content) != STATUS_OK)
        return false;
    rows->contents[i] = bytes_of(content->bytes, DIGEST_LENGTH);
    return true;
}

// The first note is the oldest: it is the last of the list.
static bool add_rows(struct rows *rows, const struct app_call *call, const struct audit_note *note,
                     const struct author *author, struct buffer *scratch, struct uuid company_id) {
    if (!note)
        return true;
    if (!add_rows(rows, call, note->next, author, scratch, company_id))
        return false;
    return !uuid_is_equal(note->company_id, company_id) || add_row(rows, call, note, author, scratch);
}

// In the order of audit_append().
static void fill_params(struct db_params *params, const struct app_call *call, struct uuid company_id,
                        const struct author *author, const struct rows *rows) {
    db_params_add_uuid(params, company_id);
    db_params_add_uuid_or_null(params, author->actor.member_id);
    db_params_add_uuid_or_null(params, author->actor.token_id);
    db_params_add_uuid_or_null(params, author->actor.operator_company_id);
    db_params_add_text(params, author->actor.system);
    db_params_add_uuid_or_null(params, call->request_id);
    db_params_add_text(params, author->email);
    db_params_add_text(params, author->user_agent);
    db_params_add_address(params, &call->address);
    db_params_add_uuid_array(params, rows->events, rows->count);
    db_params_add_text_array(params, rows->actions, rows->count);
    db_params_add_text_array(params, rows->objects, rows->count);
    db_params_add_text_array(params, rows->befores, rows->count);
    db_params_add_text_array(params, rows->afters, rows->count);
    db_params_add_int64_array(params, rows->counts, rows->count);
    db_params_add_int64_array(params, rows->refusals_max, rows->count);
    db_params_add_bytes_array(params, rows->contents, rows->count);
    db_params_add_bytes_array(params, rows->persons, rows->count);
    db_params_add_bytes_array(params, rows->salts, rows->count);
    db_params_add_text_array(params, rows->person_befores, rows->count);
    db_params_add_text_array(params, rows->person_afters, rows->count);
}

static enum status append(struct app_call *call, struct uuid company_id, struct buffer *scratch) {
    size_t count = 0;
    for (const struct audit_note *note = call->notes; note; note = note->next)
        count++;
    struct rows rows;
    struct author author;
    struct db_params *params = ARENA_NEW(call->arena, struct db_params);
    read_author(call, company_id, &author);
    if (!params || !init_rows(&rows, count, call->arena) ||
        !add_rows(&rows, call, call->notes, &author, scratch, company_id))
        return STATUS_NO_MEMORY;
    db_params_init(params, call->arena);
    fill_params(params, call, company_id, &author, &rows);
    db_add_last(call->transaction, &statements[APPEND], params);
    return STATUS_OK;
}

// The next company in the order of ids, in which all take their heads; zero at the end.
static struct uuid find_next_company(const struct app_call *call, struct uuid after) {
    struct uuid next = {{0}};
    for (const struct audit_note *note = call->notes; note; note = note->next) {
        bool is_behind = memcmp(note->company_id.bytes, after.bytes, sizeof(after.bytes)) > 0;
        bool is_before = memcmp(note->company_id.bytes, next.bytes, sizeof(next.bytes)) < 0;
        if (is_behind && (uuid_is_zero(next) || is_before))
            next = note->company_id;
    }
    return next;
}

enum status audit_flush(struct app_call *call) {
    struct buffer scratch = {0};
    enum status status = STATUS_OK;
    struct uuid company_id = find_next_company(call, (struct uuid){{0}});
    for (size_t i = 0; status == STATUS_OK && !uuid_is_zero(company_id); i++) {
        status = i < AUDIT_COMPANIES_MAX ? append(call, company_id, &scratch) : STATUS_INTERNAL;
        company_id = find_next_company(call, company_id);
    }
    buffer_fini(&scratch);
    return status;
}
