#include "services/cli/json_print.h"

#include "services/cli/cli.h"

void json_print(json_t *json, FILE *to) {
    cli_need(json);
    json_dumpf(json, to, JSON_INDENT(2));
    fputc('\n', to);
    json_decref(json);
}
