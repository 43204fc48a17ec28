#include "common/app/paging.h"
#include "common/base/clock.h"
#include "common/base/typeid.h"
#include "common/protobuf/timestamp.h"
#include "services/whitelist/whitelist_entry_store.h"
#include "services/whitelist/whitelist_message_rpc.h"
#include "services/whitelist/whitelist_note.h"
#include "services/whitelist/whitelist_rpc.h"
#include "services/whitelist/whitelist_service.h"

#define TIME_WANTED "type a time from the year 1 to 9999"

// ---- AddWhitelistEntries ----

static struct whitelist_wish *read_wishes(const Latchkey__V1__AddWhitelistEntriesRequest *request,
                                          struct app_call *call) {
    struct whitelist_wish *wishes = ARENA_NEW_ARRAY(call->arena, struct whitelist_wish, request->n_entries);
    for (size_t i = 0; wishes && i < request->n_entries; i++) {
        const Latchkey__V1__NewWhitelistEntry *entry = request->entries[i];
        bool has_bits = entry->optional_checking_bits_case ==
                        LATCHKEY__V1__NEW_WHITELIST_ENTRY__OPTIONAL_CHECKING_BITS_CHECKING_BITS;
        wishes[i] = (struct whitelist_wish){.address = entry->address,
                                            .bits = whitelist_rpc_read_bits(has_bits, entry->checking_bits),
                                            .note = entry->note,
                                            .owner = entry->owner,
                                            .is_disabled = entry->disabled,
                                            .expires_at_ms = CLOCK_NEVER_MS};
        if (!timestamp_get_ms(entry->expires_at, CLOCK_NEVER_MS, &wishes[i].expires_at_ms))
            fault_add_field(call->fault, fault_path(call->fault, "entries[%zu].expires_at", i), TIME_WANTED);
    }
    return wishes;
}

static struct uuid *make_ids(struct app_call *call, size_t count) {
    struct uuid *ids = ARENA_NEW_ARRAY(call->arena, struct uuid, count);
    for (size_t i = 0; ids && i < count; i++)
        ids[i] = uuid_new(app_get_clock(call->app));
    return ids;
}

static struct whitelist_entry *list_entries(const struct whitelist_addition *addition, int64_t created_at_ms,
                                            struct arena *arena) {
    struct whitelist_entry *entries = ARENA_NEW_ARRAY(arena, struct whitelist_entry, addition->count);
    for (size_t i = 0; entries && i < addition->count; i++) {
        const struct whitelist_wish *wish = &addition->wishes[i];
        entries[i] = (struct whitelist_entry){.entry_id = addition->entry_ids[i],
                                              .address = wish->address,
                                              .prefix = addition->prefixes[i],
                                              .note = wish->note,
                                              .owner = wish->owner,
                                              .is_disabled = wish->is_disabled,
                                              .expires_at_ms = wish->expires_at_ms,
                                              .created_at_ms = created_at_ms,
                                              .created_by = addition->created_by,
                                              .last_hit_at_ms = CLOCK_ALWAYS_MS,
                                              .version = 1};
    }
    return entries;
}

static bool fill_warnings(Latchkey__V1__AddWhitelistEntriesResponse *response,
                          const struct whitelist_addition *addition, const struct whitelist_added *added,
                          struct arena *arena) {
    size_t count = addition->count, warning_count;
    struct whitelist_warning *warnings;
    struct whitelist_holder *listed = ARENA_NEW_ARRAY(arena, struct whitelist_holder, count);
    struct whitelist_holder *requested = ARENA_NEW_ARRAY(arena, struct whitelist_holder, count);
    if (!listed || !requested ||
        !whitelist_assign_holders(addition->prefixes, count, added->holders, added->holder_count, arena,
                                  listed) ||
        !whitelist_find_holders(addition->prefixes, count, arena, requested) ||
        !whitelist_list_warnings(addition->prefixes, count, listed, requested, arena, &warnings,
                                 &warning_count))
        return false;
    response->warnings = whitelist_message_new_warnings(warnings, warning_count, arena);
    response->n_warnings = response->warnings ? warning_count : 0;
    return response->warnings != NULL;
}

static enum status check_added(struct app_call *call, const struct whitelist_addition *addition,
                               const struct whitelist *before) {
    if (!uuid_is_zero(addition->draft_id))
        return whitelist_check_draft_room(before->entry_count, (int64_t)addition->count, &whitelist_limits,
                                          call->fault);
    enum status status = whitelist_check_editable(before, call->fault);
    if (status != STATUS_OK)
        return status;
    return whitelist_check_room(before->entry_count, (int64_t)addition->count, &whitelist_limits,
                                call->fault);
}

static enum status add(struct app_call *call, const struct whitelist_addition *addition,
                       Latchkey__V1__AddWhitelistEntriesResponse *response) {
    struct whitelist_added added;
    enum status status = whitelist_store_add(call, addition, &added);
    if (status == STATUS_OK)
        status = check_added(call, addition, &added.before);
    if (status != STATUS_OK)
        return status;
    struct whitelist_entry *entries = list_entries(addition, added.created_at_ms, call->arena);
    if (!entries)
        return fault_set_no_memory(call->fault);
    response->entries = whitelist_message_new_entries(entries, addition->count, call->arena);
    response->n_entries = response->entries ? addition->count : 0;
    if (!response->entries || !fill_warnings(response, addition, &added, call->arena))
        return fault_set_no_memory(call->fault);
    return whitelist_note_added(call, addition->draft_id, entries, addition->count);
}

enum status whitelist_rpc_add_entries(struct app_call *call, const ProtobufCMessage *message,
                                      ProtobufCMessage **ret_response) {
    const Latchkey__V1__AddWhitelistEntriesRequest *request =
        (const Latchkey__V1__AddWhitelistEntriesRequest *)message;
    Latchkey__V1__AddWhitelistEntriesResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__AddWhitelistEntriesResponse);
    struct whitelist_terms terms = {&whitelist_limits, call->now_ms, request->force};
    struct whitelist_addition addition = {.wishes = read_wishes(request, call),
                                          .count = request->n_entries,
                                          .created_by = app_call_get_author(call)};
    struct ip_prefix *prefixes;
    if (!response || !addition.wishes || !addition.created_by)
        return fault_set_no_memory(call->fault);
    latchkey__v1__add_whitelist_entries_response__init(response);

    addition.draft_id = whitelist_rpc_read_draft_id(request->draft_id, call->fault);
    enum status status =
        whitelist_check_wishes(addition.wishes, addition.count, &terms, call->arena, call->fault, &prefixes);
    if (status != STATUS_OK)
        return status;
    addition.prefixes = prefixes;
    addition.entry_ids = make_ids(call, addition.count);
    *ret_response = &response->base;
    return addition.entry_ids ? add(call, &addition, response) : fault_set_no_memory(call->fault);
}

// ---- RemoveWhitelistEntries ----

struct uuid *whitelist_rpc_read_entry_ids(char *const *texts, size_t count, const char *field,
                                          struct app_call *call) {
    struct uuid *ids = ARENA_NEW_ARRAY(call->arena, struct uuid, count);
    for (size_t i = 0; ids && i < count; i++)
        if (!typeid_parse(bytes_of_text(texts[i]), TYPEID_ENTRY, &ids[i]))
            fault_add_field(call->fault, fault_path(call->fault, "%s[%zu]", field, i),
                            "type an entry's id, such as ent_01h455vb4pex5vsknk084sn02q");
    if (!ids)
        (void)fault_set_no_memory(call->fault);
    return ids;
}

// What removes nothing locks nobody out, and a draft binds nobody.
static enum status check_removed(struct app_call *call, bool is_forced,
                                 const struct whitelist_removed *removed) {
    struct whitelist_asker asker = whitelist_rpc_get_asker(call);
    enum status status = whitelist_check_editable(&removed->before.whitelist, call->fault);
    if (status != STATUS_OK || is_forced)
        return status;
    return whitelist_check_outcome(&removed->before.outcome, &removed->after.outcome, &asker, call->fault);
}

static enum status remove_entries(struct app_call *call,
                                  const Latchkey__V1__RemoveWhitelistEntriesRequest *request,
                                  size_t *ret_count) {
    struct whitelist_removed removed;
    struct uuid draft_id = whitelist_rpc_read_draft_id(request->draft_id, call->fault);
    struct uuid *ids =
        whitelist_rpc_read_entry_ids(request->entry_ids, request->n_entry_ids, "entry_ids", call);
    if (!ids || call->fault->status != STATUS_OK)
        return call->fault->status;
    enum status status = whitelist_store_remove(call, draft_id, ids, request->n_entry_ids, &removed);
    if (status == STATUS_OK && removed.count > 0 && uuid_is_zero(draft_id))
        status = check_removed(call, request->force, &removed);
    if (status != STATUS_OK)
        return status;
    *ret_count = removed.count;
    return whitelist_note_removed(call, draft_id, removed.entries, removed.count);
}

enum status whitelist_rpc_remove_entries(struct app_call *call, const ProtobufCMessage *message,
                                         ProtobufCMessage **ret_response) {
    const Latchkey__V1__RemoveWhitelistEntriesRequest *request =
        (const Latchkey__V1__RemoveWhitelistEntriesRequest *)message;
    Latchkey__V1__RemoveWhitelistEntriesResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__RemoveWhitelistEntriesResponse);
    size_t count = 0;
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__remove_whitelist_entries_response__init(response);

    if (!whitelist_check_count(request->n_entry_ids, &whitelist_limits, "entry_ids", call->fault))
        return call->fault->status;
    enum status status = remove_entries(call, request, &count);
    if (status != STATUS_OK)
        return status;
    response->count = count;
    *ret_response = &response->base;
    return STATUS_OK;
}

// ---- ListWhitelistEntries ----

static void read_ranges(const Latchkey__V1__ListWhitelistEntriesRequest *request, struct fault *fault,
                        struct whitelist_filter *filter) {
    enum ip_parse_result result;
    if (*request->contains_ip) {
        result = ip_address_parse(bytes_of_text(request->contains_ip), &filter->contains);
        if (result != IP_PARSE_OK)
            fault_add_field(fault, "contains_ip", "%s", ip_parse_result_get_text(result));
    }
    if (*request->within) {
        result = ip_prefix_parse(bytes_of_text(request->within), &filter->within);
        if (result != IP_PARSE_OK)
            fault_add_field(fault, "within", "%s", ip_parse_result_get_text(result));
    }
}

static void read_filter(const Latchkey__V1__ListWhitelistEntriesRequest *request, struct fault *fault,
                        struct whitelist_filter *ret_filter) {
    *ret_filter = (struct whitelist_filter){.expires_before_ms = CLOCK_NEVER_MS,
                                            .note_contains = bytes_of_text(request->note_contains),
                                            .is_never_hit = request->never_hit};
    ret_filter->draft_id = whitelist_rpc_read_draft_id(request->draft_id, fault);
    read_ranges(request, fault, ret_filter);
    if (!timestamp_get_ms(request->expires_before, CLOCK_NEVER_MS, &ret_filter->expires_before_ms))
        fault_add_field(fault, "expires_before", TIME_WANTED);
    if (bytes_count_code_points(ret_filter->note_contains) > WHITELIST_NOTE_MAX)
        fault_add_field(fault, "note_contains", "type at most %d characters", WHITELIST_NOTE_MAX);
}

static bool fill_page(Latchkey__V1__ListWhitelistEntriesResponse *response, const ProtobufCMessage *request,
                      const struct whitelist_page *page, const struct app_call *call) {
    response->entries = whitelist_message_new_entries(page->entries, page->count, call->arena);
    if (!response->entries)
        return false;
    response->n_entries = page->count;
    if (page->has_more)
        response->next_page_token = paging_make_id_token(call, request, page->last);
    return response->next_page_token != NULL;
}

enum status whitelist_rpc_list_entries(struct app_call *call, const ProtobufCMessage *message,
                                       ProtobufCMessage **ret_response) {
    const Latchkey__V1__ListWhitelistEntriesRequest *request =
        (const Latchkey__V1__ListWhitelistEntriesRequest *)message;
    Latchkey__V1__ListWhitelistEntriesResponse *response =
        ARENA_NEW(call->arena, Latchkey__V1__ListWhitelistEntriesResponse);
    if (!response)
        return fault_set_no_memory(call->fault);
    latchkey__v1__list_whitelist_entries_response__init(response);

    struct id_page page;
    struct whitelist_filter filter;
    struct whitelist_page found;
    paging_parse_id(call, message, &page);
    read_filter(request, call->fault, &filter);
    enum status status = call->fault->status;
    if (status == STATUS_OK)
        status = whitelist_store_list(call, &filter, page.after, page.size, &found);
    if (status != STATUS_OK)
        return status;
    *ret_response = &response->base;
    return fill_page(response, message, &found, call) ? STATUS_OK : fault_set_no_memory(call->fault);
}
