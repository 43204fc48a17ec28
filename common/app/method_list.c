#include "common/app/method_list.h"

static void print_service(const struct app_service *service, FILE *to) {
    for (size_t i = 0; i < service->method_count; i++) {
        const struct app_method *method = &service->methods[i];
        fprintf(to, "%s\t%s\t%s\n", method->path, app_method_is_mutation(method) ? "change" : "read",
                method->permission           ? method->permission
                : app_method_is_open(method) ? "anybody"
                                             : "-");
    }
    for (size_t i = 0; i < service->inline_method_count; i++)
        fprintf(to, "%s\tmemory\t-\n", service->inline_methods[i].path);
}

void method_list_print(const struct app_program *program, FILE *to) {
    for (size_t i = 0; i < program->service_count; i++)
        print_service(program->services[i], to);
}
