#include "services/validator/decide/validate_turn.h"

#include "common/app/caller_claim.h"
#include "common/app/client_address.h"
#include "common/app/client_rights.h"
#include "common/app/refusal.h"

enum { RETRY_AFTER_MS = 1000 };

static enum status fail_not_current(struct validate_loop *mine, enum lease_state state, struct fault *fault) {
    validate_count(&mine->counters.not_current[state], 1);
    fault_set_retry_after_ms(fault, RETRY_AFTER_MS);
    switch (state) {
    case LEASE_STALE:
        return fault_set(fault, STATUS_UNAVAILABLE, "STALE",
                         "this validator has not heard from the database for too long to decide");
    case LEASE_HISTORY_LOST:
        return fault_set(
            fault, STATUS_UNAVAILABLE, "HISTORY_LOST",
            "the database has lost changes that a validator knows of; an operator has to settle it");
    default: return fault_set(fault, STATUS_UNAVAILABLE, "LOADING", "this validator is still loading");
    }
}

// In which states of the lease somebody is listened to.
enum currency { CURRENT, CURRENT_OR_LOST };

static enum status check_lease(const struct validator *validator, enum currency currency, struct loop *loop,
                               struct validate_turn *turn, struct fault *fault) {
    enum lease_state state = lease_get_state(&validator->lease, loop_get_boottime_ns(loop));
    bool is_right = state == LEASE_SERVING || (currency == CURRENT_OR_LOST && state == LEASE_HISTORY_LOST);
    if (is_right && turn->view.image)
        return STATUS_OK;
    return fail_not_current(turn->mine, is_right ? LEASE_LOADING : state, fault);
}

static enum status identify(const struct validate_service *service, const struct grpc_call *transport,
                            enum validate_askers askers, struct fault *fault, struct validate_turn *turn) {
    const struct validate_view *view = &turn->view;
    const struct ip_set *trusted = service->trusted_proxies;
    // A proxy on this machine speaks for others, who are not on it; so with the certificate of a proxy.
    bool is_of_peer = askers == VALIDATE_ANYBODY && client_address_is_of_peer(trusted, transport);
    struct tls_identity *identity = is_of_peer ? grpc_call_get_identity(transport) : NULL;
    const struct validate_presence presence = {.secret = bearer_find_secret(transport),
                                               .claim = caller_claim_find(transport),
                                               .address = client_address_find_of_call(trusted, transport),
                                               .is_local = is_of_peer && grpc_call_is_peer_local(transport),
                                               .client_rights = client_rights_get(identity),
                                               .folds_reasons = view->folds_reasons};
    enum status status = client_address_check(trusted, transport, fault);
    if (status == STATUS_OK)
        status =
            validate_asker_identify(view->image, view->shape, view->now_ms, &presence, fault, &turn->asker);
    if (status != STATUS_OK)
        validate_count(&turn->mine->counters.refused_askers, 1);
    return status;
}

// The image as it is now; nobody asks yet.
static enum status look(const struct validate_service *service, const struct grpc_call *transport,
                        enum currency currency, struct fault *fault, struct validate_turn *turn) {
    const struct validator *validator = service->validator;
    struct loop *loop = grpc_call_get_loop(transport);
    turn->mine = &service->loops[loop_get_index(loop)];
    reading_begin(&turn->mine->reading);
    turn->view =
        (struct validate_view){.image = validator_get_image(validator),
                               .shape = &service->shape,
                               .now_ms = validator_get_time_ms(validator, loop_get_boottime_ns(loop)),
                               .folds_reasons = service->folds_reasons};
    enum status status = check_lease(validator, currency, loop, turn, fault);
    if (status == STATUS_OK)
        turn->view.positions = lanes_get_positions(image_get_lanes(turn->view.image));
    return status;
}

enum status validate_turn_begin(const struct validate_service *service, const struct grpc_call *transport,
                                enum validate_askers askers, struct fault *fault,
                                struct validate_turn *ret_turn) {
    enum status status = look(service, transport, CURRENT, fault, ret_turn);
    return status == STATUS_OK ? identify(service, transport, askers, fault, ret_turn) : status;
}

static enum status begin_watching(const struct validate_service *service, const struct grpc_call *transport,
                                  enum currency currency, const char *permission, struct fault *fault,
                                  struct validate_turn *ret_turn) {
    ret_turn->asker = (struct validate_asker){.has_bearer = false};
    enum status status = look(service, transport, currency, fault, ret_turn);
    bool is_of_peer = client_address_is_of_peer(service->trusted_proxies, transport);
    struct tls_identity *identity = is_of_peer ? grpc_call_get_identity(transport) : NULL;
    if (status != STATUS_OK || client_rights_get(identity) & CLIENT_RIGHT_VALIDATE_WATCH)
        return status;
    status = identify(service, transport, VALIDATE_BEARERS, fault, ret_turn);
    return status == STATUS_OK ? validate_turn_require(ret_turn, permission, fault) : status;
}

enum status validate_turn_begin_watching(const struct validate_service *service,
                                         const struct grpc_call *transport, const char *permission,
                                         struct fault *fault, struct validate_turn *ret_turn) {
    return begin_watching(service, transport, CURRENT, permission, fault, ret_turn);
}

enum status validate_turn_begin_reporting(const struct validate_service *service,
                                          const struct grpc_call *transport, const char *permission,
                                          struct fault *fault, struct validate_turn *ret_turn) {
    return begin_watching(service, transport, CURRENT_OR_LOST, permission, fault, ret_turn);
}

enum status validate_turn_require(const struct validate_turn *turn, const char *permission,
                                  struct fault *fault) {
    if (validate_asker_holds(turn->view.image, &turn->asker, permission))
        return STATUS_OK;
    validate_count(&turn->mine->counters.refused_askers, 1);
    return refusal_set(fault, REASON_PERMISSION_MISSING, &turn->asker.address, permission);
}

enum status validate_turn_decide(const struct validate_turn *turn, const struct validate_question *question,
                                 const struct validate_key *key, struct arena *arena,
                                 struct validate_answer *ret_answer) {
    enum status status = validate_decide_by_key(&turn->view, &turn->asker, question, key, arena, ret_answer);
    if (status != STATUS_OK)
        return status;
    validate_count(&turn->mine->counters.decisions[ret_answer->reason], 1);
    validate_note_answer(turn, question, ret_answer);
    return STATUS_OK;
}

enum status validate_turn_answer(const struct validate_turn *turn, const struct validate_question *question,
                                 struct arena *arena, struct validate_answer *ret_answer) {
    struct validate_key key;
    validate_key_make(&turn->view, question->token, &key);
    validate_key_advance(&turn->view, &key);
    return validate_turn_decide(turn, question, &key, arena, ret_answer);
}

enum status validate_turn_fail_not_served(const struct validate_turn *turn, struct fault *fault) {
    validate_count(&turn->mine->counters.not_served, 1);
    return validate_fail_not_served(fault);
}

void validate_turn_refuse(const struct validate_turn *turn, enum reason reason, unsigned lane,
                          struct validate_answer *ret_answer) {
    validate_refuse(&turn->view, &turn->asker, reason, lane, ret_answer);
    validate_count(&turn->mine->counters.decisions[ret_answer->reason], 1);
}
