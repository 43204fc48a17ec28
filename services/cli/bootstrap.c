#include "services/cli/bootstrap.h"

#include <jansson.h>

#include "common/base/clock.h"
#include "common/base/typeid.h"
#include "common/protobuf/json_heap.h"
#include "services/cli/bootstrap_store.h"

#define DEMO_EMAIL "administrator@demo.example"
#define LANE_MASK (SECRET_LANE_COUNT - 1) // company_lane() of the schema

// One company of the two.
struct plan {
    enum bootstrap_kind kind;
    const char *company_name, *email, *display_name, *token_label;
    struct uuid company_id, member_id; // what is there already; zero = nothing
};

static enum status check(const struct bootstrap_request *request, const struct bootstrap_state *state,
                         struct fault *fault) {
    bool has_operator = !uuid_is_zero(state->operator_company);
    if (has_operator && request->mode == BOOTSTRAP_FIRST)
        return fault_set(fault, STATUS_FAILED_PRECONDITION, "BOOTSTRAPPED_ALREADY",
                         "this database has its operator already; --rotate gives the token of the first "
                         "bootstrap a new secret and ends the old one");
    if (!has_operator && request->mode == BOOTSTRAP_ROTATE)
        return fault_set(fault, STATUS_FAILED_PRECONDITION, "NOT_BOOTSTRAPPED",
                         "this database has no operator yet; run `latchkey bootstrap` without --rotate");
    if (request->with_demo && uuid_is_zero(state->demo_company) && state->foreign_companies > 0)
        return fault_set(
            fault, STATUS_FAILED_PRECONDITION, "DATABASE_IN_USE",
            "this database has companies that bootstrap did not make, so it gets no demo company; "
            "run it without --demo, or on a new database");
    return STATUS_OK;
}

// Takes `after`.
static enum status note(struct bootstrap_store *store, const struct plan *plan, const char *action,
                        struct typeid object, json_t *after) {
    char *text = json_dumps(after, JSON_COMPACT);
    enum status status =
        text ? bootstrap_store_note(store, plan->company_id, action, object.text, text) : STATUS_NO_MEMORY;
    json_heap_free(text);
    json_decref(after);
    return status;
}

static enum status put_company(struct bootstrap_store *store, struct plan *plan) {
    enum status status = STATUS_OK;
    if (uuid_is_zero(plan->company_id)) {
        plan->company_id = uuid_new(clock_get_system());
        status = bootstrap_store_add_company(store, plan->company_id, plan->company_name, plan->kind);
        if (status == STATUS_OK)
            status = note(store, plan, "company.created", typeid_of(TYPEID_COMPANY, plan->company_id),
                          json_pack("{s:s}", "name", plan->company_name));
    }
    if (status == STATUS_OK && plan->kind == BOOTSTRAP_OPERATOR)
        status = bootstrap_store_put_operator_role(store, plan->company_id);
    return status;
}

static enum status give_roles(struct bootstrap_store *store, const struct plan *plan) {
    int64_t count;
    enum status status = bootstrap_store_give_roles(store, plan->company_id, plan->member_id, &count);
    if (status != STATUS_OK || count == 0)
        return status;
    return note(store, plan, "member.updated", typeid_of(TYPEID_MEMBER, plan->member_id),
                json_pack("{s:I}", "roles_given", (json_int_t)count));
}

// Whoever is there may have lost the role by which the token does anything.
static enum status put_member(struct bootstrap_store *store, struct plan *plan) {
    enum status status = bootstrap_store_find_member(store, plan->company_id, &plan->member_id);
    if (status != STATUS_OK)
        return status;
    if (!uuid_is_zero(plan->member_id))
        return give_roles(store, plan);
    plan->member_id = uuid_new(clock_get_system());
    status =
        bootstrap_store_add_member(store, &(struct bootstrap_member){.company_id = plan->company_id,
                                                                     .member_id = plan->member_id,
                                                                     .email = plan->email,
                                                                     .display_name = plan->display_name});
    if (status != STATUS_OK)
        return status;
    return note(store, plan, "member.created", typeid_of(TYPEID_MEMBER, plan->member_id),
                json_pack("{s:s, s:s}", "email", plan->email, "display_name", plan->display_name));
}

static enum status put_token(struct bootstrap_store *store, const struct plan *plan,
                             struct uuid *ret_token_id) {
    struct bootstrap_token token = {.company_id = plan->company_id,
                                    .member_id = plan->member_id,
                                    .label = plan->token_label,
                                    .kind = plan->kind};
    enum status status = bootstrap_store_renew_token(store, &token, ret_token_id);
    bool is_new = uuid_is_zero(*ret_token_id);
    if (status == STATUS_OK && is_new) {
        *ret_token_id = token.token_id = uuid_new(clock_get_system());
        status = bootstrap_store_add_token(store, &token);
    }
    if (status != STATUS_OK)
        return status;
    return note(store, plan, is_new ? "token.created" : "token.rotated",
                typeid_of(TYPEID_TOKEN, *ret_token_id), json_pack("{s:s}", "label", plan->token_label));
}

static enum status put_secret(struct bootstrap_store *store, const char *brand,
                              struct bootstrap_identity *identity) {
    struct digest digest;
    char hint[SECRET_HINT_LENGTH + 1];
    unsigned lane = identity->company_id.bytes[sizeof(identity->company_id.bytes) - 1] & LANE_MASK;
    secret_new(brand, SECRET_ACCESS, lane, &identity->secret);
    struct bytes text = bytes_of_text(identity->secret.text);
    digest_sha256(text, &digest);
    secret_get_hint(text, hint);
    const struct bootstrap_token token = {.company_id = identity->company_id, .token_id = identity->token_id};
    return bootstrap_store_add_secret(store, &token, &digest, hint);
}

// Makes what is missing of one company, and a new secret.
static enum status put(struct bootstrap_store *store, struct plan *plan, const char *brand,
                       struct bootstrap_identity *ret_identity) {
    enum status status = put_company(store, plan);
    if (status == STATUS_OK)
        status = put_member(store, plan);
    struct bootstrap_identity identity = {.company_id = plan->company_id, .member_id = plan->member_id};
    if (status == STATUS_OK)
        status = put_token(store, plan, &identity.token_id);
    if (status == STATUS_OK)
        status = put_secret(store, brand, &identity);
    *ret_identity = identity;
    secret_wipe(&identity.secret, sizeof(identity.secret));
    return status;
}

static enum status put_demo(struct bootstrap_store *store, struct uuid company_id, const char *brand,
                            struct bootstrap_identity *ret_identity) {
    struct plan plan = {.kind = BOOTSTRAP_DEMO,
                        .company_name = "Demo",
                        .email = DEMO_EMAIL,
                        .display_name = "Demo administrator",
                        .token_label = "administrator",
                        .company_id = company_id};
    return put(store, &plan, brand, ret_identity);
}

enum status bootstrap_run(struct db_transaction *transaction, struct fault *fault,
                          const struct bootstrap_request *request, struct bootstrap_result *ret_result) {
    struct bootstrap_store store;
    struct bootstrap_state state;
    bootstrap_store_init(&store, transaction, fault, request->arena);
    enum status status = bootstrap_store_begin(&store, &state);
    if (status == STATUS_OK)
        status = check(request, &state, fault);
    if (status != STATUS_OK)
        return status;
    struct plan plan = {.kind = BOOTSTRAP_OPERATOR,
                        .company_name = "Operator",
                        .email = request->email,
                        .display_name = "Operator",
                        .token_label = "operator",
                        .company_id = state.operator_company};
    status = put(&store, &plan, request->brand, &ret_result->operator);
    if (status == STATUS_OK && request->with_demo)
        status = put_demo(&store, state.demo_company, request->brand, &ret_result->demo);
    return status == STATUS_OK ? bootstrap_store_end(&store) : status;
}
