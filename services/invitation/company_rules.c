#include "services/invitation/company_rules.h"

static void check_name(struct bytes name, struct fault *fault) {
    size_t length = bytes_count_code_points(name);
    if (length == 0 || length > COMPANY_NAME_MAX)
        fault_add_field(fault, "name", "type a name of 1 to %d characters", COMPANY_NAME_MAX);
}

static void check_external_id(struct bytes external_id, struct fault *fault) {
    if (bytes_count_code_points(external_id) > COMPANY_EXTERNAL_ID_MAX)
        fault_add_field(fault, "external_id", "type at most %d characters", COMPANY_EXTERNAL_ID_MAX);
}

static void check_email(const char *email, struct fault *fault, struct company_draft *draft) {
    enum email_parse_result result = email_address_parse(bytes_of_text(email), &draft->administrator_email);
    if (result == EMAIL_PARSE_NO_MEMORY)
        fault_set_no_memory(fault);
    else if (result != EMAIL_PARSE_OK)
        fault_add_field(fault, "administrator_email", "%s", email_parse_result_get_text(result));
}

enum status company_check_wish(const struct company_wish *wish, struct fault *fault,
                               struct company_draft *ret_draft) {
    *ret_draft = (struct company_draft){.name = bytes_of_text(wish->name),
                                        .external_id = bytes_of_text(wish->external_id)};
    check_name(ret_draft->name, fault);
    check_external_id(ret_draft->external_id, fault);
    check_email(wish->administrator_email, fault, ret_draft);
    return fault->status;
}
