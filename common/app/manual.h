// The manual page of a server in mdoc(7), written from its tables.
#ifndef LATCHKEY_COMMON_APP_MANUAL_H
#define LATCHKEY_COMMON_APP_MANUAL_H

#include <stdio.h>

#include "common/app/app.h"
#include "common/base/config.h"

void manual_print(const struct app_program *program, const struct config_table *tables, size_t table_count,
                  FILE *to);

#endif
