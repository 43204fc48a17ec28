// A page of entries (whitelist_entry_store.h).
#include "common/base/clock.h"
#include "services/whitelist/whitelist_entry_store.h"
#include "services/whitelist/whitelist_row.h"

enum { PLAN_PAGE, FIND_TARGET, FIND_FLOOR, LIST };

static const struct db_statement statements[] = {
    // Without a filter that picks out few entries the planner, who can't know how long this company's list
    // is, must not sort the whole for a page.
    [PLAN_PAGE] = {"whitelist_plan_page",
                   "SELECT " WHITELIST_PLAN_AFRESH ", set_config('enable_sort', $1, true)"},
    [FIND_TARGET] = {"whitelist_find_target", "SELECT latchkey.whitelist_target($1, $2)"},
    // The last entry that a page looks at.
    [FIND_FLOOR] = {"whitelist_find_floor",
                    "SELECT e.entry_id FROM latchkey.whitelist_entry e"
                    " WHERE e.list_id = " WHITELIST_TARGET " AND ($3::uuid IS NULL OR e.entry_id < $3)"
                    " ORDER BY e.entry_id DESC OFFSET " WHITELIST_TEXT(WHITELIST_WALK_MAX) " - 1 LIMIT 1"},
    // why the sub-select: with its list a constant, the primary key gives entries in the order wanted.
    [LIST] =
        {"whitelist_list",
         "SELECT " WHITELIST_ENTRY_COLUMNS(
             "u.last_hit_at") " FROM latchkey.whitelist_entry e"
                              " LEFT JOIN latchkey.whitelist_entry_use u ON u.entry_id = e.entry_id"
                              " WHERE e.list_id = " WHITELIST_TARGET
                              " AND ($4::uuid IS NULL OR e.entry_id < $4)"
                              " AND ($5::uuid IS NULL OR e.entry_id >= $5)"
                              " AND ($6::inet IS NULL OR e.cidr = ANY (latchkey.containing_prefixes($6)))"
                              " AND ($7::cidr IS NULL OR (e.cidr >= $7 AND e.cidr <= $8))"
                              " AND ($9::timestamptz IS NULL OR e.expires_at < $9)"
                              " AND ($10 = '' OR position(lower($10) IN lower(e.note)) > 0)"
                              " AND (NOT $11 OR u.last_hit_at IS NULL)"
                              " ORDER BY e.entry_id DESC LIMIT $3"},
};

static bool picks_few(const struct whitelist_filter *filter) {
    return filter->contains.family != IP_FAMILY_NONE || filter->within.address.family != IP_FAMILY_NONE ||
           filter->expires_before_ms != CLOCK_NEVER_MS;
}

// Whether entries are passed over one by one.
static bool walks(const struct whitelist_filter *filter) {
    return !picks_few(filter) && (filter->note_contains.len > 0 || filter->is_never_hit);
}

// The last address of a range: in PostgreSQL's order of prefixes, what lies inside the range lies between the
// two. (Its operator <<= would say the same, but row-level security keeps that from the index.)
static struct ip_prefix get_last_address(const struct ip_prefix *within) {
    struct ip_prefix last = *within;
    last.bits = (uint8_t)ip_address_get_width_bits(&within->address);
    for (unsigned bit = within->bits; bit < last.bits; bit++)
        last.address.bytes[bit / 8] |= (uint8_t)(0x80u >> bit % 8);
    return last;
}

static void add_within(struct db_params *params, const struct ip_prefix *within) {
    if (within->address.family == IP_FAMILY_NONE) {
        db_params_add_null(params, DB_TYPE_CIDR);
        db_params_add_null(params, DB_TYPE_CIDR);
        return;
    }
    struct ip_prefix last = get_last_address(within);
    db_params_add_prefix(params, within);
    db_params_add_prefix(params, &last);
}

static void init_plan(struct db_params *plan, struct app_call *call, const struct whitelist_filter *filter) {
    db_params_init(plan, call->arena);
    db_params_add_text(plan, picks_few(filter) ? BYTES_LITERAL("on") : BYTES_LITERAL("off"));
}

// Where the page's walk ends; zero = at the end of the list.
static enum status find_floor(struct app_call *call, const struct whitelist_filter *filter, struct uuid after,
                              struct uuid *ret_floor) {
    struct db_params plan, params;
    *ret_floor = (struct uuid){{0}};
    if (!walks(filter))
        return STATUS_OK;
    init_plan(&plan, call, filter);
    whitelist_row_init_params(&params, call, filter->draft_id);
    db_params_add_uuid_or_null(&params, after);
    struct db_command commands[] = {{&statements[PLAN_PAGE], &plan, NULL},
                                    {&statements[FIND_FLOOR], &params, NULL}};
    enum status status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    if (db_result_get_row_count(commands[1].result) > 0)
        *ret_floor = db_result_get_uuid(commands[1].result, 0, 0);
    return STATUS_OK;
}

static enum status read_page(struct app_call *call, const struct db_result *rows, int32_t limit,
                             struct uuid floor, struct whitelist_page *ret_page) {
    int row_count = db_result_get_row_count(rows);
    struct whitelist_page page = {.count = (size_t)(row_count < limit ? row_count : limit),
                                  .has_more = row_count > limit || !uuid_is_zero(floor)};
    page.entries = ARENA_NEW_ARRAY(call->arena, struct whitelist_entry, page.count);
    for (size_t i = 0; page.entries && i < page.count; i++)
        if (!whitelist_row_read_entry(rows, (int)i, call->arena, &page.entries[i]))
            return fault_set_no_memory(call->fault);
    if (!page.entries)
        return fault_set_no_memory(call->fault);
    page.last = row_count > limit ? page.entries[page.count - 1].entry_id : floor;
    *ret_page = page;
    return STATUS_OK;
}

enum status whitelist_store_list(struct app_call *call, const struct whitelist_filter *filter,
                                 struct uuid after, int32_t limit, struct whitelist_page *ret_page) {
    struct uuid floor;
    enum status status = find_floor(call, filter, after, &floor);
    if (status != STATUS_OK)
        return status;

    struct db_params plan, target, params;
    init_plan(&plan, call, filter);
    whitelist_row_init_params(&target, call, filter->draft_id);
    whitelist_row_init_params(&params, call, filter->draft_id);
    db_params_add_int64(&params, limit + 1); // one more tells whether there is another page
    db_params_add_uuid_or_null(&params, after);
    db_params_add_uuid_or_null(&params, floor);
    db_params_add_address(&params, &filter->contains);
    add_within(&params, &filter->within);
    db_params_add_time_ms_or_null(&params, filter->expires_before_ms);
    db_params_add_text(&params, filter->note_contains);
    db_params_add_bool(&params, filter->is_never_hit);
    struct db_command commands[] = {{&statements[PLAN_PAGE], &plan, NULL},
                                    {&statements[FIND_TARGET], &target, NULL},
                                    {&statements[LIST], &params, NULL}};
    status = db_query_batch(call->transaction, commands, ARRAY_LENGTH(commands));
    if (status != STATUS_OK)
        return db_fault(call->fault, status);
    if (db_result_is_null(commands[1].result, 0, 0))
        return whitelist_row_refuse_draft(call, filter->draft_id);
    return read_page(call, commands[2].result, limit, floor, ret_page);
}
