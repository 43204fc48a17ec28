#include "services/validator/gateway/letter.h"

#include <stddef.h>

enum { ASCII_END = 0x80, CONTINUATION_BITS = 6, CONTINUATION_MASK = 0x3f };

uint32_t letter_take(struct bytes *rest) {
    static const uint8_t lead_masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    size_t len = bytes_measure_code_point(*rest);
    uint32_t letter = len > 0 ? rest->data[0] & lead_masks[len] : 0;
    for (size_t i = 1; i < len; i++)
        letter = letter << CONTINUATION_BITS | (rest->data[i] & CONTINUATION_MASK);
    *rest = bytes_of(rest->data + len, rest->len - len);
    return letter;
}

static uint32_t to_lower(uint32_t letter) {
    return letter < ASCII_END ? ascii_to_lower((uint8_t)letter) : letter;
}

// The letter of ASCII that is its other case; 0 = none is.
static uint32_t find_ascii(uint32_t letter) {
    switch (letter) {
    case 0x130:              // I with a dot
    case 0x131: return 'i';  // i without
    case 0x17f: return 's';  // the long s
    case 0x212a: return 'k'; // the sign of Kelvin
    default: return 0;
    }
}

// The scripts of most of Asia and Africa have none.
static bool may_have_case(uint32_t letter) {
    static const uint32_t without[][2] = {
        {0x590, 0x109f}, {0x1100, 0x139f}, {0x1400, 0x1c7f}, {0x3000, 0xa63f}, {0xac00, 0xfaff}};
    for (size_t i = 0; i < ARRAY_LENGTH(without); i++)
        if (letter >= without[i][0] && letter <= without[i][1])
            return false;
    return true;
}

bool letter_may_be(uint32_t a, uint32_t b) {
    if (a == b || to_lower(a) == to_lower(b))
        return true;
    uint32_t ascii = a < b ? a : b, other = a < b ? b : a;
    if (ascii < ASCII_END)
        return ascii > 0 && find_ascii(other) == to_lower(ascii);
    return may_have_case(a) && may_have_case(b);
}
