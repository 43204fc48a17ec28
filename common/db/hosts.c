#include "common/db/hosts.h"

#include <assert.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A peer that vanished is noticed within half a minute, also while we only wait. Whoever knows better says so
// in the connection string.
static const struct {
    const char *name, *value;
} defaults[] = {
    {"client_encoding", "UTF8"}, {"keepalives_idle", "10"},     {"keepalives_interval", "5"},
    {"keepalives_count", "3"},   {"tcp_user_timeout", "20000"},
};

#define HOST_TEXT_MAX 255

struct hosts {
    PQconninfoOption *options;
    const char *application_name;
    unsigned count;
    struct hosts_keywords keywords;
    char host[HOST_TEXT_MAX + 1], hostaddr[HOST_TEXT_MAX + 1], port[HOST_TEXT_MAX + 1]; // of the selected one
};

static const char *find_value(const struct hosts *hosts, const char *name) {
    for (const PQconninfoOption *option = hosts->options; option->keyword; option++)
        if (strcmp(option->keyword, name) == 0)
            return option->val && option->val[0] ? option->val : NULL;
    return NULL;
}

static unsigned count_items(const char *list) {
    unsigned count = list ? 1 : 0;
    for (; list && *list; list++)
        count += *list == ',';
    return count;
}

// Item number `i` of a comma-separated list; with only one item it stands for all, as libpq has it for ports.
// False when it does not fit.
static bool copy_item(const char *list, unsigned i, char *ret, size_t size) {
    if (count_items(list) == 1)
        i = 0;
    for (; i > 0; i--)
        list = strchr(list, ',') + 1;
    return (size_t)snprintf(ret, size, "%.*s", (int)strcspn(list, ","), list) < size;
}

static unsigned count_hosts(const struct hosts *hosts) {
    unsigned by_name = count_items(find_value(hosts, "host"));
    unsigned by_address = count_items(find_value(hosts, "hostaddr"));
    unsigned count = by_name > by_address ? by_name : by_address;
    return count > 0 ? count : 1;
}

// Every list has one item for each host (or, for ports, one for all), and every item fits.
static bool has_whole_lists(struct hosts *hosts) {
    static const char *const names[] = {"host", "hostaddr", "port"};
    for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
        const char *list = find_value(hosts, names[k]);
        unsigned count = count_items(list);
        bool is_for_all = k == 2 && count == 1;
        if (list && count != hosts->count && !is_for_all)
            return false;
        for (unsigned i = 0; list && i < hosts->count; i++)
            if (!copy_item(list, i, hosts->host, sizeof(hosts->host)))
                return false;
    }
    return true;
}

enum status hosts_parse(const char *url, const char *application_name, struct hosts **ret_hosts) {
    struct hosts *hosts = calloc(1, sizeof(*hosts));
    if (!hosts)
        return STATUS_NO_MEMORY;
    hosts->application_name = application_name;
    char *error = NULL;
    hosts->options = PQconninfoParse(url ? url : "", &error);
    // The text may quote the password: it is not passed on.
    enum status status = hosts->options ? STATUS_OK : error ? STATUS_INVALID : STATUS_NO_MEMORY;
    PQfreemem(error);
    if (status == STATUS_OK) {
        hosts->count = count_hosts(hosts);
        status = has_whole_lists(hosts) ? STATUS_OK : STATUS_INVALID;
    }
    if (status != STATUS_OK) {
        hosts_free(hosts);
        return status;
    }
    *ret_hosts = hosts;
    return STATUS_OK;
}

void hosts_free(struct hosts *hosts) {
    if (!hosts)
        return;
    PQconninfoFree(hosts->options);
    free(hosts);
}

unsigned hosts_get_count(const struct hosts *hosts) {
    return hosts->count;
}

static void add(struct hosts_keywords *keywords, size_t *count, const char *name, const char *value) {
    assert(*count < HOSTS_KEYWORDS_MAX);
    keywords->names[*count] = name;
    keywords->values[*count] = value;
    ++*count;
}

// One item instead of the list that the option holds.
static const char *select_value(struct hosts *hosts, const PQconninfoOption *option, unsigned i) {
    char *item = strcmp(option->keyword, "host") == 0       ? hosts->host
                 : strcmp(option->keyword, "hostaddr") == 0 ? hosts->hostaddr
                 : strcmp(option->keyword, "port") == 0     ? hosts->port
                                                            : NULL;
    if (!item)
        return option->val;
    bool fits = copy_item(option->val, i, item, HOST_TEXT_MAX + 1);
    assert(fits);
    (void)fits;
    return item;
}

const struct hosts_keywords *hosts_select(struct hosts *hosts, unsigned i) {
    struct hosts_keywords *keywords = &hosts->keywords;
    size_t count = 0;
    for (const PQconninfoOption *option = hosts->options; option->keyword; option++)
        if (option->val && option->val[0])
            add(keywords, &count, option->keyword, select_value(hosts, option, i));
    for (size_t k = 0; k < sizeof(defaults) / sizeof(defaults[0]); k++)
        if (!find_value(hosts, defaults[k].name))
            add(keywords, &count, defaults[k].name, defaults[k].value);
    if (!find_value(hosts, "application_name"))
        add(keywords, &count, "application_name", hosts->application_name);
    if (hosts->count > 1 && !find_value(hosts, "target_session_attrs"))
        add(keywords, &count, "target_session_attrs", "read-write");
    add(keywords, &count, NULL, NULL);
    return keywords;
}
