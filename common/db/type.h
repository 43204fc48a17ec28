// The PostgreSQL types that Latchkey's schema uses, by their fixed object identifiers.
#ifndef LATCHKEY_COMMON_DB_TYPE_H
#define LATCHKEY_COMMON_DB_TYPE_H

enum db_type {
    DB_TYPE_BOOL = 16,
    DB_TYPE_BYTEA = 17,
    DB_TYPE_CHAR = 18, // "char" in quotes: one byte
    DB_TYPE_NAME = 19,
    DB_TYPE_INT64 = 20,
    DB_TYPE_INT16 = 21,
    DB_TYPE_INT32 = 23,
    DB_TYPE_TEXT = 25,
    DB_TYPE_CIDR = 650,
    DB_TYPE_CIDR_ARRAY = 651,
    DB_TYPE_INET = 869,
    DB_TYPE_BYTEA_ARRAY = 1001,
    DB_TYPE_INT16_ARRAY = 1005,
    DB_TYPE_TEXT_ARRAY = 1009,
    DB_TYPE_INT64_ARRAY = 1016,
    DB_TYPE_INET_ARRAY = 1041,
    DB_TYPE_VARCHAR = 1043,
    DB_TYPE_TIMESTAMPTZ = 1184,
    DB_TYPE_TIMESTAMPTZ_ARRAY = 1185,
    DB_TYPE_UUID = 2950,
    DB_TYPE_UUID_ARRAY = 2951,
    DB_TYPE_JSONB = 3802,
};

#endif
