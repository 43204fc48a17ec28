// The database schema that this binary carries: every common/db/schema/NNNN_name.sql in the order of its
// number, written into a table by the build (cmake/write_schema_table.cmake).
#ifndef LATCHKEY_COMMON_DB_SCHEMA_H
#define LATCHKEY_COMMON_DB_SCHEMA_H

#include <stddef.h>

struct schema_file {
    const char *name; // "0001_roles_and_tenancy.sql"
    const char *text;
};

extern const struct schema_file schema_files[];
extern const size_t schema_file_count;

#endif
