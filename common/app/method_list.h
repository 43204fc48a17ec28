// What a program serves and who may call it, as text: docs/api.md is made from it.
#ifndef LATCHKEY_COMMON_APP_METHOD_LIST_H
#define LATCHKEY_COMMON_APP_METHOD_LIST_H

#include <stdio.h>

#include "common/app/app.h"

// A line for each method, three words apart by tabs: its path; `read` or `change` for what is done in a
// transaction, `memory` for what is answered from memory; the permission that it needs, `-` where its
// handler decides.
void method_list_print(const struct app_program *program, FILE *to);

#endif
