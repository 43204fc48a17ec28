#include "services/console/console_login.h"

#include "common/base/log.h"
#include "common/base/time_text.h"
#include "services/console/console_call.h"
#include "services/console/console_client.h"
#include "services/console/console_cookie.h"
#include "services/console/console_json.h"

enum { MS_PER_SECOND = 1000 };

static const struct clock *time_source;

void console_login_start(const struct clock *clock) {
    time_source = clock;
}

static bool is_one_of(const char *text, const char *const *list, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(text, list[i]) == 0)
            return true;
    return false;
}

// Of the log-in, in seconds; 0 where it says none.
static int64_t get_rest_s(const json_t *message) {
    int64_t expires_ms;
    const char *text = console_json_find_text(json_object_get(message, "loginToken"), "expiresAt");
    if (!time_text_parse(bytes_of_text(text), &expires_ms))
        return 0;
    int64_t rest_s = (expires_ms - clock_get_realtime_ms(time_source)) / MS_PER_SECOND;
    return rest_s > 0 ? rest_s : 0;
}

static enum console_login keep(const struct http_request *request, const struct console_reply *reply,
                               struct http_answer *answer) {
    struct bytes secret = bytes_of_text(console_json_find_text(reply->message, "secret"));
    int64_t rest_s = get_rest_s(reply->message);
    if (secret.len == 0 || rest_s == 0)
        return CONSOLE_LOGIN_UNAVAILABLE;
    console_cookie_set(request, answer, CONSOLE_COOKIE_SESSION, secret, rest_s);
    return CONSOLE_LOGIN_MADE;
}

static enum console_login judge(const struct console_reply *reply) {
    static const char *const of_address[] = {"COMPANY_IP_NOT_LISTED", "MEMBER_IP_NOT_LISTED"};
    static const char *const of_person[] = {"MEMBER_NOT_FOUND", "COMPANY_NOT_FOUND", "MEMBER_REMOVED",
                                            "COMPANY_SUSPENDED", "OPERATOR_MEMBER"};
    if (is_one_of(reply->reason, of_address, ARRAY_LENGTH(of_address)))
        return CONSOLE_LOGIN_REFUSED;
    if (is_one_of(reply->reason, of_person, ARRAY_LENGTH(of_person)))
        return CONSOLE_LOGIN_NOBODY;
    log_event(LOG_LEVEL_WARNING, "the console can't log people in", LOG_INTEGER("status", reply->status),
              LOG_TEXT("reason", reply->reason));
    return CONSOLE_LOGIN_UNAVAILABLE;
}

static void add_place(const struct http_request *request, json_t *who) {
    char client[IP_ADDRESS_TEXT_MAX + 1];
    struct bytes agent = http_request_find_only(request, "user-agent");
    console_client_format_address(request, client);
    json_object_set_new(who, "clientIp", json_string(client));
    if (agent.len > 0) // what is no UTF-8 is left out
        json_object_set_new(who, "userAgent", json_stringn((const char *)agent.data, agent.len));
}

struct console_login_result console_login_make(const struct http_request *request, const char *company,
                                               json_t *who, struct http_answer *answer) {
    struct console_reply reply;
    add_place(request, who);
    console_call_as_console(request->door, request->arena, "TokenService/CreateLoginToken", company, who,
                            &reply);
    enum console_login login = reply.status == 200 ? keep(request, &reply, answer) : judge(&reply);
    console_reply_fini(&reply);
    return (struct console_login_result){login, reply.reason, reply.body};
}
