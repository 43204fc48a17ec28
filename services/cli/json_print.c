#include "services/cli/json_print.h"

#include "services/cli/cli.h"

void json_print(json_t *json, FILE *to) {
    cli_need(json);
    json_dumpf(json, to, JSON_INDENT(2));
    fputc('\n', to);
    json_decref(json);
}

json_t *json_print_new_fields(const struct fault *fault) {
    json_t *fields = json_array();
    for (const struct fault_field *field = fault->fields; field; field = field->next)
        json_array_append_new(
            fields, json_pack("{s:s, s:s}", "field", field->field, "description", field->description));
    return fields;
}
