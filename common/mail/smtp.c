#include "common/mail/smtp.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/ip/loopback.h"
#include "common/mail/smtp_reply.h"

enum { CONNECT_TIMEOUT_MS = 10000, PASSWORD_MAX = 1000 };

struct smtp_server {
    char *address;                 // smtp://host:port or smtps://host:port
    char *user;                    // "" = no log-in
    char *password_file, *ca_file; // NULL = none
    bool is_strict;                // TLS, and a certificate that is vouched for
    int64_t timeout_ms;
};

struct smtp_session {
    const struct smtp_server *server;
    CURL *curl;
    smtp_is_stopping is_stopping;
    void *context;
    bool is_down; // as the last mail found it

    // Of the mail on its way.
    struct bytes rest; // of the message
    struct smtp_reply reply;
    char error[CURL_ERROR_SIZE];
};

// ---- the server ----

// The words of a setting that is wrong.
static enum status refuse(char *ret_error, size_t error_size, const char *sentence) {
    snprintf(ret_error, error_size, "%s", sentence);
    return STATUS_INVALID;
}

static char *get_part(CURLU *url, CURLUPart part, unsigned flags) {
    char *text = NULL;
    return curl_url_get(url, part, &text, flags) == CURLUE_OK ? text : NULL;
}

// Everything of a URL that counts; the texts are libcurl's.
struct url_parts {
    char *scheme, *user, *password, *host, *path;
};

static void free_parts(struct url_parts *parts) {
    curl_free(parts->scheme);
    curl_free(parts->user);
    curl_free(parts->password);
    curl_free(parts->host);
    curl_free(parts->path);
}

static enum status check_parts(const struct url_parts *parts, const struct smtp_options *options,
                               char *ret_error, size_t error_size) {
    bool is_smtp = parts->scheme && strcmp(parts->scheme, "smtp") == 0;
    bool is_smtps = parts->scheme && strcmp(parts->scheme, "smtps") == 0;
    if ((!is_smtp && !is_smtps) || !parts->host || (parts->path && strcmp(parts->path, "/") != 0))
        return refuse(
            ret_error, error_size,
            "--smtp-url: type smtp://USER@HOST:PORT or smtps://USER@HOST:PORT; an @ in the user is %40");
    if (parts->password)
        return refuse(
            ret_error, error_size,
            "--smtp-url: leave the password out, everybody on the machine can read it there; put it "
            "into the file of --smtp-password-file");
    if (parts->user && !options->password_file)
        return refuse(ret_error, error_size,
                      "--smtp-url names a user: name the file of its password with --smtp-password-file");
    if (!parts->user && options->password_file)
        return refuse(
            ret_error, error_size,
            "--smtp-password-file is given, but --smtp-url names no user: type smtp://USER@HOST:PORT");
    if (is_smtp && parts->user && options->tls == SMTP_TLS_OPPORTUNISTIC &&
        !loopback_is_host(bytes_of_text(parts->host)))
        return refuse(ret_error, error_size,
                      "--smtp-tls opportunistic would show the password to whoever stands on the way; use "
                      "required, or a server on loopback");
    return STATUS_OK;
}

static char *copy_text(const char *text) {
    return text ? strdup(text) : NULL;
}

static enum status fill_server(struct smtp_server *server, CURLU *url, const struct url_parts *parts,
                               const struct smtp_options *options) {
    bool is_smtps = strcmp(parts->scheme, "smtps") == 0;
    server->is_strict = is_smtps || options->tls == SMTP_TLS_REQUIRED ||
                        (options->tls == SMTP_TLS_AUTO && !loopback_is_host(bytes_of_text(parts->host)));
    server->timeout_ms = options->timeout_ms;
    server->user = strdup(parts->user ? parts->user : "");
    server->password_file = copy_text(options->password_file);
    server->ca_file = copy_text(options->ca_file);
    char *address = NULL;
    if (curl_url_set(url, CURLUPART_USER, NULL, 0) == CURLUE_OK)
        address = get_part(url, CURLUPART_URL, 0);
    server->address = copy_text(address);
    curl_free(address);
    bool is_whole = server->address && server->user && (server->password_file || !options->password_file) &&
                    (server->ca_file || !options->ca_file);
    return is_whole ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status smtp_server_new(const struct smtp_options *options, char *ret_error, size_t error_size,
                            struct smtp_server **ret_server) {
    bool is_ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    struct url_parts parts = {0};
    struct smtp_server *server = is_ready ? calloc(1, sizeof(*server)) : NULL;
    CURLU *url = is_ready ? curl_url() : NULL;
    enum status status = STATUS_NO_MEMORY;
    if (!server || !url)
        goto done;
    if (curl_url_set(url, CURLUPART_URL, options->url, 0) == CURLUE_OK)
        parts = (struct url_parts){get_part(url, CURLUPART_SCHEME, 0),
                                   get_part(url, CURLUPART_USER, CURLU_URLDECODE),
                                   get_part(url, CURLUPART_PASSWORD, 0), get_part(url, CURLUPART_HOST, 0),
                                   get_part(url, CURLUPART_PATH, 0)};
    status = check_parts(&parts, options, ret_error, error_size);
    if (status == STATUS_OK)
        status = fill_server(server, url, &parts, options);
done:
    free_parts(&parts);
    curl_url_cleanup(url);
    if (status == STATUS_NO_MEMORY)
        refuse(ret_error, error_size, status_get_text(status));
    if (status != STATUS_OK) {
        smtp_server_free(server);
        return status;
    }
    *ret_server = server;
    return STATUS_OK;
}

void smtp_server_free(struct smtp_server *server) {
    if (!server)
        return;
    free(server->address);
    free(server->user);
    free(server->password_file);
    free(server->ca_file);
    free(server);
}

// ---- callbacks of libcurl ----

static size_t on_reply(char *data, size_t size, size_t count, void *context) {
    struct smtp_session *session = context;
    smtp_reply_add_line(&session->reply, bytes_of(data, size * count));
    return size * count;
}

static size_t on_read(char *to, size_t size, size_t count, void *context) {
    struct smtp_session *session = context;
    size_t taken = size * count < session->rest.len ? size * count : session->rest.len;
    if (taken > 0)
        memcpy(to, session->rest.data, taken);
    session->rest = bytes_of(session->rest.data + taken, session->rest.len - taken);
    return taken;
}

// Anything but 0 ends the transfer.
static int on_progress(void *context, curl_off_t to_get, curl_off_t got, curl_off_t to_put, curl_off_t put) {
    const struct smtp_session *session = context;
    (void)to_get, (void)got, (void)to_put, (void)put;
    return session->rest.len > 0 && session->is_stopping && session->is_stopping(session->context);
}

// ---- a session ----

// The first line of the file.
static bool read_password(const char *path, char *ret_password, size_t size) {
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    bool is_read = fgets(ret_password, (int)size, file) != NULL;
    fclose(file);
    if (is_read)
        ret_password[strcspn(ret_password, "\r\n")] = '\0';
    return is_read;
}

static bool set_login(CURL *curl, const struct smtp_server *server, enum status *ret_status) {
    char password[PASSWORD_MAX];
    if (!server->password_file)
        return true;
    *ret_status = STATUS_INVALID;
    if (!read_password(server->password_file, password, sizeof(password)))
        return false;
    *ret_status = STATUS_NO_MEMORY;
    bool is_set = curl_easy_setopt(curl, CURLOPT_USERNAME, server->user) == CURLE_OK &&
                  curl_easy_setopt(curl, CURLOPT_PASSWORD, password) == CURLE_OK;
    explicit_bzero(password, sizeof(password));
    return is_set;
}

static bool set_server(CURL *curl, const struct smtp_server *server) {
    bool is_set = curl_easy_setopt(curl, CURLOPT_URL, server->address) == CURLE_OK &&
                  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps") == CURLE_OK &&
                  curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK;
    if (is_set && server->ca_file)
        is_set =
            curl_easy_setopt(curl, CURLOPT_CAINFO, server->ca_file) == CURLE_OK &&
            curl_easy_setopt(curl, CURLOPT_CAPATH, NULL) == CURLE_OK; // else the system's are trusted, too
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)(server->is_strict ? CURLUSESSL_ALL : CURLUSESSL_TRY));
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, (long)server->is_strict);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, server->is_strict ? 2L : 0L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)server->timeout_ms);
    curl_easy_setopt(
        curl, CURLOPT_CONNECTTIMEOUT_MS,
        (long)(server->timeout_ms < CONNECT_TIMEOUT_MS ? server->timeout_ms : CONNECT_TIMEOUT_MS));
    curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)((server->timeout_ms + 999) / 1000));
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    return is_set;
}

static void set_callbacks(struct smtp_session *session) {
    CURL *curl = session->curl;
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_reply);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, session);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(curl, CURLOPT_READDATA, session);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, session);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, session->error);
}

enum status smtp_session_new(const struct smtp_server *server, smtp_is_stopping is_stopping, void *context,
                             struct smtp_session **ret_session) {
    enum status status = STATUS_NO_MEMORY;
    struct smtp_session *session = calloc(1, sizeof(*session));
    if (!session)
        return status;
    session->server = server;
    session->is_stopping = is_stopping;
    session->context = context;
    session->curl = curl_easy_init();
    if (!session->curl || !set_server(session->curl, server) || !set_login(session->curl, server, &status)) {
        smtp_session_free(session);
        return status;
    }
    set_callbacks(session);
    *ret_session = session;
    return STATUS_OK;
}

// why: libcurl says goodbye and waits for the answer, which a server that has fallen silent does not give.
static void cut_connection(CURL *curl) {
    curl_socket_t socket = CURL_SOCKET_BAD;
    if (curl_easy_getinfo(curl, CURLINFO_ACTIVESOCKET, &socket) == CURLE_OK && socket != CURL_SOCKET_BAD)
        shutdown(socket, SHUT_RDWR);
}

void smtp_session_free(struct smtp_session *session) {
    if (!session)
        return;
    if (session->is_down)
        cut_connection(session->curl);
    curl_easy_cleanup(session->curl);
    free(session);
}

// ---- a mail ----

// Refused because of who we are, not because of the mail: another password may mend it.
static bool is_about_login(int code) {
    return code == 530 || code == 534 || code == 535 || code == 538;
}

static bool is_about_mail(const struct smtp_session *session, CURLcode result) {
    bool has_begun = result == CURLE_SEND_ERROR; // MAIL, RCPT or DATA was refused
    bool has_ended = session->rest.len == 0 && result == CURLE_WEIRD_SERVER_REPLY;
    int code = session->reply.code;
    return (has_begun || has_ended) && code >= 400 && code != 421 &&
           !is_about_login(code); // 421: it goes down
}

static enum smtp_outcome judge(const struct smtp_session *session, CURLcode result) {
    if (result == CURLE_OK)
        return SMTP_SENT;
    if (!is_about_mail(session, result))
        return SMTP_DOWN;
    return session->reply.code >= 500 ? SMTP_REFUSED : SMTP_FAILED;
}

static const char *describe(const struct smtp_session *session, CURLcode result) {
    switch (result) {
    case CURLE_OPERATION_TIMEDOUT: return "the mail server gave no answer in time";
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING: return "the connection to the mail server was lost";
    default: return session->error[0] ? session->error : curl_easy_strerror(result);
    }
}

// The server's words say most where it answered with a failure; else what libcurl says.
static void tell(const struct smtp_session *session, CURLcode result, char ret_words[SMTP_WORDS_MAX + 1]) {
    bool has_spoken = session->reply.code != 0 && (result == CURLE_OK || session->reply.code >= 400);
    smtp_reply_clean(bytes_of_text(has_spoken ? session->reply.text : describe(session, result)), ret_words,
                     SMTP_WORDS_MAX + 1);
}

bool smtp_session_try(struct smtp_session *session, char ret_words[SMTP_WORDS_MAX + 1]) {
    session->rest = BYTES_EMPTY;
    session->reply = (struct smtp_reply){0};
    session->error[0] = '\0';
    curl_easy_setopt(session->curl, CURLOPT_CONNECT_ONLY, 1L);
    CURLcode result = curl_easy_perform(session->curl);
    curl_easy_setopt(session->curl, CURLOPT_CONNECT_ONLY, 0L);
    session->is_down = result != CURLE_OK;
    tell(session, result, ret_words);
    return result == CURLE_OK;
}

void smtp_session_send(struct smtp_session *session, const char *from, const char *to, struct bytes message,
                       struct smtp_result *ret_result) {
    struct curl_slist *recipients = curl_slist_append(NULL, to);
    CURLcode result = CURLE_OUT_OF_MEMORY;
    session->rest = message;
    session->reply = (struct smtp_reply){0};
    session->error[0] = '\0';
    if (recipients && curl_easy_setopt(session->curl, CURLOPT_MAIL_FROM, from) == CURLE_OK &&
        curl_easy_setopt(session->curl, CURLOPT_MAIL_RCPT, recipients) == CURLE_OK)
        result = curl_easy_perform(session->curl);
    ret_result->outcome = judge(session, result);
    session->is_down = ret_result->outcome == SMTP_DOWN;
    tell(session, result, ret_result->words);
    session->rest = BYTES_EMPTY;
    curl_easy_setopt(session->curl, CURLOPT_MAIL_RCPT, NULL);
    curl_slist_free_all(recipients);
}
