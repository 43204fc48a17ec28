// The database schema that this binary carries: every common/db/schema/NNNN_name.sql in the order of its
// number, written into a table by the build (cmake/write_schema_table.cmake).
//
// A file leaves everything to the programs of releases before it that they use, or says in a line of its own
// from where on they work: `-- Breaks programs before 0029: they read token.note, which goes.`
#ifndef LATCHKEY_COMMON_DB_SCHEMA_H
#define LATCHKEY_COMMON_DB_SCHEMA_H

#include <stddef.h>

struct schema_file {
    const char *name; // "0001_roles_and_tenancy.sql"
    const char *text;
    unsigned breaks_before; // programs whose newest file has a lower number do not work on it; 0 = all work
};

extern const struct schema_file schema_files[];
extern const size_t schema_file_count;

#endif
