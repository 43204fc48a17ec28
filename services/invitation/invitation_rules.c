#include "services/invitation/invitation_rules.h"

#include <string.h>

#include "common/base/bytes.h"

static void check_email(const char *text, struct fault *fault, struct email_address *ret_email) {
    enum email_parse_result result = email_address_parse(bytes_of_text(text), ret_email);
    if (result == EMAIL_PARSE_NO_MEMORY)
        fault_set_no_memory(fault);
    else if (result != EMAIL_PARSE_OK)
        fault_add_field(fault, "email", "%s", email_parse_result_get_text(result));
}

enum status invitation_check_wish(const struct invitation_wish *wish, struct arena *arena,
                                  struct fault *fault, struct invitation_draft *ret_draft) {
    *ret_draft = (struct invitation_draft){0};
    check_email(wish->email, fault, &ret_draft->email);
    role_ids_parse(wish->role_ids, wish->role_count, "role_ids", arena, fault, &ret_draft->roles);
    prefix_list_parse(wish->ips, wish->ip_count, INVITATION_IPS_MAX, "allowed_ips", arena, fault,
                      &ret_draft->ips);
    return fault->status;
}

void invitation_check_display_name(const char *name, struct fault *fault) {
    struct bytes text = bytes_of_text(name);
    size_t length = bytes_count_code_points(text);
    if (bytes_trim(text).len == 0 || length > DISPLAY_NAME_MAX)
        fault_add_field(fault, "display_name", "type a name of 1 to %d characters", DISPLAY_NAME_MAX);
}

char *invitation_mask_email(const char *email, struct arena *arena) {
    const char *at = strrchr(email, '@');
    return at && at != email ? arena_format(arena, "%c***%s", email[0], at) : arena_copy_text(arena, "***");
}
