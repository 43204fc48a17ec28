#include "services/cli/secret_text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "common/base/base62.h"
#include "common/base/bytes.h"
#include "common/crypto/secret.h"
#include "services/cli/terminal.h"

#define RUN_MIN 26 // base62 characters in a row behind "lka_"; half of a secret is worth refusing, too
#define ID_LENGTH 26
#define ROOM 64 // for what is around a secret, and to see that it is too long

static bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}

static bool is_kind(char c) {
    return c == SECRET_ACCESS || c == SECRET_LOGIN || c == SECRET_INVITATION;
}

// The ids of roles and drafts, "rol_..." and "dra_...", begin like a secret, but have no capital letters.
static bool is_id(const char *run, size_t len) {
    for (size_t i = 0; i < len; i++)
        if (run[i] >= 'A' && run[i] <= 'Z')
            return false;
    return len == ID_LENGTH;
}

// "lka_" and a long run of base62 at the beginning of `text`.
static bool begins_secret(const char *text) {
    if (!is_lower(text[0]) || !is_lower(text[1]) || !is_kind(text[2]) || text[3] != '_')
        return false;
    size_t run = 0;
    while (base62_is_digit((uint8_t)text[4 + run]))
        run++;
    return run >= RUN_MIN && !is_id(text + 4, run);
}

bool secret_text_is_in(const char *word) {
    for (; *word; word++)
        if (begins_secret(word))
            return true;
    return false;
}

const char *secret_text_check(struct cli *cli, const char *value, const char *where,
                              enum exit_code *ret_code) {
    struct bytes text = bytes_of_text(value);
    while (text.len > 0 && (text.data[text.len - 1] == '\n' || text.data[text.len - 1] == '\r'))
        text.len--;
    text = bytes_trim(text);
    bool is_printable = text.len > 0 && text.len <= SECRET_TEXT_MAX;
    for (size_t i = 0; i < text.len; i++)
        is_printable = is_printable && text.data[i] > ' ' && text.data[i] <= '~';
    if (is_printable)
        return cli_need(arena_copy_bytes(&cli->arena, text));
    *ret_code =
        cli_fail(cli, EXIT_CODE_USAGE, "%s holds no secret: it should be one line such as lka_...", where);
    return NULL;
}

static const char *fail_to_read(struct cli *cli, const char *path, int error, enum exit_code *ret_code) {
    *ret_code = cli_fail(cli, EXIT_CODE_USAGE, "can't read %s: %s", path, strerror(error));
    return NULL;
}

// The terminal that does not show what is typed, and how it and its signals were before: for on_signal()
// alone.
static struct {
    int fd;
    struct termios before;
    struct sigaction on_interrupt, on_end;
} silenced;

// Ctrl-C at the question: a shell need not put the terminal right again.
static void on_signal(int number) {
    (void)tcsetattr(silenced.fd, TCSANOW, &silenced.before);
    raise(number);
}

static void unsilence(void) {
    (void)tcsetattr(silenced.fd, TCSAFLUSH, &silenced.before);
    sigaction(SIGINT, &silenced.on_interrupt, NULL);
    sigaction(SIGTERM, &silenced.on_end, NULL);
}

// What is ignored stays ignored.
static void catch_signal(int number, struct sigaction *ret_before) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(number, NULL, ret_before);
    if (ret_before->sa_handler != SIG_IGN)
        sigaction(number, &action, NULL);
}

// False where it shows nothing anyway, or can't be changed.
static bool silence(FILE *terminal) {
    struct termios mode;
    silenced.fd = fileno(terminal);
    if (tcgetattr(silenced.fd, &mode) != 0 || !(mode.c_lflag & ECHO))
        return false;
    silenced.before = mode;
    catch_signal(SIGINT, &silenced.on_interrupt);
    catch_signal(SIGTERM, &silenced.on_end);
    mode.c_lflag &= ~(tcflag_t)ECHO;
    if (tcsetattr(silenced.fd, TCSAFLUSH, &mode) == 0)
        return true;
    unsilence();
    return false;
}

// One line, typed or pasted at a terminal.
static const char *ask(struct cli *cli, const char *question, enum exit_code *ret_code) {
    // Before it asks: what is typed earlier is thrown away.
    bool is_silenced = silence(cli->in);
    fputs(question, cli->err);
    fflush(cli->err);
    char text[SECRET_TEXT_MAX + ROOM];
    bool is_read = fgets(text, sizeof(text), cli->in);
    if (is_silenced)
        unsilence();
    fputc('\n', cli->err);
    const char *secret = secret_text_check(cli, is_read ? text : "", "what was typed", ret_code);
    secret_wipe(text, sizeof(text));
    return secret;
}

const char *secret_text_read(struct cli *cli, const char *path, enum exit_code *ret_code) {
    bool is_input = strcmp(path, "-") == 0;
    if (is_input && terminal_is_one(cli->in))
        return ask(cli, "Paste the secret: ", ret_code);
    FILE *from = is_input ? cli->in : fopen(path, "re");
    if (!from)
        return fail_to_read(cli, path, errno, ret_code);
    char text[SECRET_TEXT_MAX + ROOM];
    size_t len = fread(text, 1, sizeof(text) - 1, from);
    int error = ferror(from) ? errno : 0;
    if (!is_input)
        fclose(from);
    if (error != 0)
        return fail_to_read(cli, path, error, ret_code);
    text[len] = '\0';
    const char *secret = secret_text_check(cli, text, is_input ? "standard input" : path, ret_code);
    secret_wipe(text, sizeof(text));
    return secret;
}

const char *secret_text_read_or_ask(struct cli *cli, const char *question, enum exit_code *ret_code) {
    const char *path = options_find_text(&cli->options, "secret-file");
    if (path || !terminal_is_one(cli->in))
        return secret_text_read(cli, path ? path : "-", ret_code);
    return ask(cli, question, ret_code);
}

bool secret_text_create_file(struct cli *cli, const char *path, int *ret_fd, enum exit_code *ret_code) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0) {
        *ret_fd = fd;
        return true;
    }
    if (errno == EEXIST)
        *ret_code = cli_fail(
            cli, EXIT_CODE_REFUSED,
            "%s exists already; name a new file, so that no secret is lost by writing over it", path);
    else
        *ret_code = cli_fail(cli, EXIT_CODE_USAGE, "can't create %s: %s", path, strerror(errno));
    return false;
}

void secret_text_discard_file(const char *path, int fd) {
    close(fd);
    unlink(path);
}

static bool write_all(int fd, const char *text, size_t len) {
    while (len > 0) {
        ssize_t written = write(fd, text, len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        text += written;
        len -= (size_t)written;
    }
    return true;
}

enum exit_code secret_text_write_file(struct cli *cli, const char *path, int fd, const char *text,
                                      const char *remedy) {
    bool is_written = write_all(fd, text, strlen(text)) && write_all(fd, "\n", 1) && fsync(fd) == 0;
    int error = errno;
    if (close(fd) != 0 && is_written) {
        is_written = false;
        error = errno;
    }
    if (is_written)
        return EXIT_CODE_DONE;
    return cli_fail(cli, EXIT_CODE_FAILED, "can't write the secret to %s: %s; %s", path, strerror(error),
                    remedy);
}
