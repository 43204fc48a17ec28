// libpq tells why a connection failed only as text. What the server said carries its SQLSTATE, which no
// translation changes; what libpq and the system said is matched by its (untranslated: we never set a locale)
// words.
#include "common/db/connect_failure.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/base/compiler.h"

static const struct {
    bool is_permanent;
    const char *text;
} kinds[] = {
#define KIND_ROW(name, is_permanent, text) [DB_CONNECT_##name] = {is_permanent, text},
    DB_CONNECT_FAILURE_TABLE(KIND_ROW)
#undef KIND_ROW
};

static const struct {
    const char *sqlstate;
    enum db_connect_failure_kind kind;
} by_sqlstate[] = {
    {"28P01", DB_CONNECT_WRONG_PASSWORD}, {"3D000", DB_CONNECT_NO_DATABASE}, {"42501", DB_CONNECT_NO_RIGHTS},
    {"53300", DB_CONNECT_TOO_MANY},       {"57P03", DB_CONNECT_STARTING},    {"57P01", DB_CONNECT_STARTING},
    {"57P02", DB_CONNECT_STARTING},       {"25006", DB_CONNECT_READ_ONLY},
};

// 28000 is said of several things; only the English words tell them apart.
static const struct {
    const char *words;
    enum db_connect_failure_kind kind;
} by_words[] = {
    {"no pg_hba.conf entry", DB_CONNECT_NOT_ADMITTED},
    {"pg_hba.conf rejects", DB_CONNECT_NOT_ADMITTED},
    {"28000: ", DB_CONNECT_NO_USER},
    {"no password supplied", DB_CONNECT_WRONG_PASSWORD},
    {"session is read-only", DB_CONNECT_READ_ONLY},
    {"server is in hot standby mode", DB_CONNECT_READ_ONLY},
    {"server is not in hot standby mode", DB_CONNECT_READ_ONLY},
    {"could not translate host name", DB_CONNECT_UNKNOWN_HOST},
    {"could not parse network address", DB_CONNECT_UNKNOWN_HOST},
    {"Connection refused", DB_CONNECT_REFUSED},
    {"No such file or directory", DB_CONNECT_NO_SOCKET},
    {"timeout expired", DB_CONNECT_TIMED_OUT},
    {"Connection timed out", DB_CONNECT_TIMED_OUT},
    {"Network is unreachable", DB_CONNECT_UNREACHABLE},
    {"No route to host", DB_CONNECT_UNREACHABLE},
    {"expected authentication request", DB_CONNECT_NOT_POSTGRES},
    {"received invalid response", DB_CONNECT_NOT_POSTGRES},
    {"SSL", DB_CONNECT_TLS},
    {"certificate", DB_CONNECT_TLS},
    {"out of memory", DB_CONNECT_NO_MEMORY},
};

bool db_connect_failure_is_permanent(enum db_connect_failure_kind kind) {
    return kinds[kind].is_permanent;
}

static bool is_sqlstate_character(char character) {
    return isdigit((unsigned char)character) || isupper((unsigned char)character);
}

// The five characters between "SEVERITY:  " and ": ", or NULL.
static const char *find_sqlstate(const char *message) {
    for (const char *at = strstr(message, ":  "); at; at = strstr(at + 1, ":  ")) {
        const char *code = at + 3;
        size_t len = 0;
        while (len < 5 && is_sqlstate_character(code[len]))
            len++;
        if (len == 5 && code[5] == ':')
            return code;
    }
    return NULL;
}

enum db_connect_failure_kind db_connect_classify(const char *message) {
    const char *sqlstate = find_sqlstate(message);
    for (size_t i = 0; sqlstate && i < ARRAY_LENGTH(by_sqlstate); i++)
        if (strncmp(sqlstate, by_sqlstate[i].sqlstate, 5) == 0)
            return by_sqlstate[i].kind;
    for (size_t i = 0; i < ARRAY_LENGTH(by_words); i++)
        if (strstr(message, by_words[i].words))
            return by_words[i].kind;
    return DB_CONNECT_OTHER;
}

struct db_connect_failure db_connect_explain(enum db_connect_failure_kind kind, const char *place) {
    struct db_connect_failure failure = {.kind = kind};
    if (kind != DB_CONNECT_NONE)
        snprintf(failure.sentence, sizeof(failure.sentence), "%s: %s", place, kinds[kind].text);
    return failure;
}

enum status db_connect_failure_get_status(enum db_connect_failure_kind kind) {
    switch (kind) {
    case DB_CONNECT_NONE: return STATUS_OK;
    case DB_CONNECT_NO_MEMORY: return STATUS_NO_MEMORY;
    case DB_CONNECT_BAD_URL: return STATUS_INVALID;
    case DB_CONNECT_NO_SCHEMA: return STATUS_FAILED_PRECONDITION;
    default: return kinds[kind].is_permanent ? STATUS_PERMISSION_DENIED : STATUS_UNAVAILABLE;
    }
}
