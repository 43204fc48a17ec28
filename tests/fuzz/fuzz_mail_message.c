// Any bytes as the name of a sender, a subject and a body: what is written stays ASCII in short lines that
// end properly, and has as many headers as it should.
#include <assert.h>

#include "common/mail/message.h"
#include "common/mail/mime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINE_MAX_LENGTH = 78, HEADERS = 8 };

// Lines of the head that begin a header.
static int check_lines(struct bytes mail) {
    int headers = 0;
    bool is_head = true;
    while (mail.len > 0) {
        struct bytes line = bytes_split(&mail, '\n');
        assert(line.len > 0 && line.data[line.len - 1] == '\r' && line.len - 1 <= LINE_MAX_LENGTH);
        for (size_t i = 0; i + 1 < line.len; i++)
            assert(line.data[i] == '\t' || (line.data[i] >= ' ' && line.data[i] <= '~'));
        is_head = is_head && line.len > 1;
        headers += is_head && line.data[0] != ' ';
    }
    return headers;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes rest = bytes_of(data, size);
    struct bytes name = bytes_split(&rest, 0), subject = bytes_split(&rest, 0);
    struct mailbox from = {.address = "a@example.com"};
    if (name.len > MAILBOX_NAME_MAX)
        name.len = MAILBOX_NAME_MAX;
    if (name.len > 0)
        memcpy(from.name, name.data, name.len);
    struct mail_message message = {
        .from = &from, .to = "b@example.com", .content = {.subject = subject, .text = rest, .html = rest}};
    struct buffer mail = {0};
    enum status status = mail_message_write(&message, &mail);
    assert(status == STATUS_OK && check_lines(buffer_get_bytes(&mail)) == HEADERS);
    buffer_fini(&mail);
    return 0;
}
