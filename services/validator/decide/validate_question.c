#include "services/validator/decide/validate_question.h"

#include "common/access/decision.h"
#include "common/access/permission.h"

bool validate_question_parse_channel(struct bytes text, int32_t *ret_channel) {
    if (bytes_is_text(text, "api"))
        *ret_channel = CHANNEL_API;
    else if (bytes_is_text(text, "ui"))
        *ret_channel = CHANNEL_UI;
    else
        return false;
    return true;
}

static void check_text(struct bytes text, size_t max, const char *field, struct fault *fault) {
    if (text.len > max)
        fault_add_field(fault, field, "type at most %zu bytes", max);
}

static void check_permissions(const struct bytes *names, size_t count, const char *field,
                              struct fault *fault) {
    if (count > VALIDATE_PERMISSIONS_MAX) {
        fault_add_field(fault, field, "ask for at most %d permissions", VALIDATE_PERMISSIONS_MAX);
        return;
    }
    for (size_t i = 0; i < count; i++)
        if (names[i].len > PERMISSION_NAME_MAX)
            fault_add_field(fault, fault_path(fault, "%s[%zu]", field, i),
                            "type a permission of at most %d bytes, such as charges.create",
                            PERMISSION_NAME_MAX);
}

enum status validate_question_check(const struct validate_question *question, struct fault *fault,
                                    bool *ret_has_revision, struct revision *ret_revision) {
    *ret_has_revision = question->min_revision.len > 0;
    check_text(question->client_ip, VALIDATE_CLIENT_IP_MAX, "client_ip", fault);
    check_text(question->domain, VALIDATE_DOMAIN_MAX, "domain", fault);
    check_permissions(question->permissions, question->permission_count, "permissions", fault);
    check_permissions(question->any_permissions, question->any_permission_count, "any_permissions", fault);
    if (*ret_has_revision && !revision_parse(question->min_revision, ret_revision))
        fault_add_field(fault, "min_revision", "send a revision as an earlier answer gave it, or none");
    return fault->status;
}
