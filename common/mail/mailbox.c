#include "common/mail/mailbox.h"

#include <assert.h>

static bool is_address_byte(uint8_t byte) {
    return byte > ' ' && byte < 0x7f && !strchr("\"(),:;<>[\\]", byte);
}

bool mailbox_is_address(struct bytes text) {
    const uint8_t *at = text.len > 0 ? memchr(text.data, '@', text.len) : NULL;
    if (!at || at == text.data || at == text.data + text.len - 1 || text.len > MAILBOX_ADDRESS_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!is_address_byte(text.data[i]) || (text.data[i] == '@' && text.data + i != at))
            return false;
    return true;
}

static bool is_name(struct bytes name) {
    if (name.len > MAILBOX_NAME_MAX || !bytes_is_utf8(name))
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] < ' ' || name.data[i] == 0x7f)
            return false;
    return true;
}

static struct bytes unquote(struct bytes name) {
    bool is_quoted = name.len >= 2 && name.data[0] == '"' && name.data[name.len - 1] == '"';
    return is_quoted ? bytes_of(name.data + 1, name.len - 2) : name;
}

static void copy(char *to, struct bytes text) {
    if (text.len > 0)
        memcpy(to, text.data, text.len);
    to[text.len] = '\0';
}

bool mailbox_parse(struct bytes text, struct mailbox *ret_mailbox, const char **ret_reason) {
    struct bytes address = bytes_trim(text), name = BYTES_EMPTY;
    const uint8_t *open = address.len > 0 ? memchr(address.data, '<', address.len) : NULL;
    if (open) {
        struct bytes all = address;
        name = unquote(bytes_trim(bytes_of(all.data, (size_t)(open - all.data))));
        address = bytes_of(open + 1, (size_t)(all.data + all.len - open - 1));
        if (address.len == 0 || address.data[address.len - 1] != '>')
            address = BYTES_EMPTY; // refused below
        else
            address.len--;
    }
    *ret_reason =
        "type an address such as latchkey@example.com, or with a name: Example <latchkey@example.com>";
    if (!mailbox_is_address(address) || !is_name(name))
        return false;
    copy(ret_mailbox->address, address);
    copy(ret_mailbox->name, name);
    return true;
}

const char *mailbox_get_domain(const struct mailbox *mailbox) {
    const char *at = strchr(mailbox->address, '@');
    assert(at);
    return at + 1;
}
