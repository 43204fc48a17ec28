#include "common/base/hex.h"

void hex_format(struct bytes bytes, char *ret_text) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.len; i++) {
        *ret_text++ = digits[bytes.data[i] >> 4];
        *ret_text++ = digits[bytes.data[i] & 15];
    }
    *ret_text = '\0';
}

// -1 for what is no digit.
static int read_digit(uint8_t digit) {
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit |= 0x20;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

bool hex_parse(struct bytes text, uint8_t *ret_bytes, size_t len) {
    if (text.len != 2 * len)
        return false;
    for (size_t i = 0; i < len; i++) {
        int high = read_digit(text.data[2 * i]), low = read_digit(text.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        ret_bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}
