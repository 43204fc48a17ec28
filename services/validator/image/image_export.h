// The rows of an image, back out of its memory: all that another image must be given to decide the same.
//
// A walk in small steps, between which the image goes on being changed: begun at some positions, it gives
// every row that was there then and has not been changed since, and of what has been changed some state
// between then and now, or nothing. So whoever puts the rows elsewhere and then applies every change that
// came after those positions (which reads again what a change names, as it is then) has the image of the end.
//
// why that holds for lists as well: a whitelist and its entries are given in one step. A list that belongs to
// another state of the pointer would be taken for the right one if the pointer has come back since.
#ifndef LATCHKEY_SERVICES_VALIDATOR_IMAGE_IMAGE_EXPORT_H
#define LATCHKEY_SERVICES_VALIDATOR_IMAGE_IMAGE_EXPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/compiler.h"
#include "common/base/status.h"
#include "services/validator/image/image.h"

// Takes rows; each lives for the call. What is not OK ends the step.
struct image_visitor {
    enum status (*permission)(void *context, const struct permission_definition *definition);
    enum status (*company)(void *context, const struct company_row *row);
    enum status (*whitelist)(void *context, const struct whitelist_row *row,
                             const struct ip_set_entry *entries, size_t count);
    enum status (*role)(void *context, const struct role_row *row);
    enum status (*member)(void *context, const struct member_row *row);
    enum status (*token)(void *context, const struct token_row *row);
};

// In this order, so that what is granted from something comes after it.
enum image_export_stage {
    EXPORT_CATALOGUE,
    EXPORT_COMPANIES,
    EXPORT_LISTS,
    EXPORT_ROLES,
    EXPORT_MEMBERS,
    EXPORT_TOKENS,
    EXPORT_DONE,
};

// Embedded; the writer's thread. Fields are image_export.c's, but for the stage.
struct image_export {
    const struct image *image;
    enum image_export_stage stage;    // of the next step
    const struct company **companies; // by number, those that were there at the beginning; NULL = none
    const struct member **members;    // the same
    size_t company_limit, member_limit;
    size_t next; // company, or token
    struct arena arena;
};

// The image lives until image_export_fini().
MUST_CHECK enum status image_export_init(struct image_export *export, const struct image *image);
void image_export_fini(struct image_export *export); // zeroed memory will do

// What belongs to one company of one kind, or some tokens. Until the stage is EXPORT_DONE.
MUST_CHECK enum status image_export_step(struct image_export *export, const struct image_visitor *visitor,
                                         void *context);

#endif
