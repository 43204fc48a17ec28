// The update_mask of an Update request: which of the fields that the method may change are to be changed.
#ifndef LATCHKEY_COMMON_PROTOBUF_UPDATE_MASK_H
#define LATCHKEY_COMMON_PROTOBUF_UPDATE_MASK_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/compiler.h"
#include "common/base/fault.h"
#include "google/protobuf/field_mask.pb-c.h"

#define UPDATE_MASK_FIELDS_MAX 32

#define UPDATE_MASK_BIT(index) (UINT32_C(1) << (index))

// Bit i is set if the mask names `fields[i]`; names are those of the contract, snake_case. An empty mask and
// every name that is none of them are named in the fault, with those that there are; then it returns 0.
MUST_CHECK uint32_t update_mask_parse(const Google__Protobuf__FieldMask *mask, const char *const *fields,
                                      size_t count, struct fault *fault);

#endif
