#include "common/app/database_check.h"

#include <stdio.h>

#include "common/db/migrate.h"

bool database_is_needed(const struct app_program *program) {
    for (size_t i = 0; i < program->service_count; i++) {
        const struct app_service *service = program->services[i];
        if (!service->has_no_database || !service->has_no_database())
            return true;
    }
    return false;
}

enum status database_check(const struct db_connection_options *options, uint64_t deadline_ns, char *ret_error,
                           size_t error_size) {
    struct db_connection *connection;
    struct db_connect_failure failure;
    enum status status = db_connection_open(options, deadline_ns, &connection, &failure);
    if (status != STATUS_OK) {
        snprintf(ret_error, error_size, "%s", failure.sentence);
        return status;
    }
    struct db_migrate_report report;
    status = db_schema_check(connection, db_migrations_get_embedded(), deadline_ns, &report);
    if (status != STATUS_OK)
        snprintf(ret_error, error_size, "%s", report.sentence[0] ? report.sentence : status_get_text(status));
    db_connection_close(connection);
    return status;
}
