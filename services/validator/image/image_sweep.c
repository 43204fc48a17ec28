// What an answer did not have is gone: one door for all kinds, where the observer stands.
#include <assert.h>

#include "services/validator/image/image_internal.h"

static enum status (*const sweeps[])(struct image *image, const struct uuid *id) = {
    [IMAGE_COMPANY] = image_sweep_company,
    [IMAGE_WHITELIST] = image_sweep_whitelist,
    [IMAGE_ROLE] = image_sweep_role,
    [IMAGE_MEMBER] = image_sweep_member,
    [IMAGE_TOKEN] = image_sweep_token,
    [IMAGE_ROLES_OF] = image_sweep_roles_of,
    [IMAGE_MEMBERS_OF] = image_sweep_members_of,
    [IMAGE_TOKENS_OF] = image_sweep_tokens_of,
};

enum status image_sweep(struct image *image, enum image_scope scope, const struct uuid *id) {
    assert(scope >= IMAGE_COMPANY && scope < IMAGE_SCOPE_COUNT);
    enum status status = sweeps[scope](image, id);
    if (status == STATUS_OK)
        IMAGE_TELL(image, on_sweep, scope, id);
    return status;
}
