/* Addresses as people write them: see addresses.h. RFC 4291, 2.2, forms 1 and 2. */
#include "addresses.h"

#include <string.h>

int64_t fwk_address4(const char *text, size_t size)
{
    uint32_t value = 0;
    size_t at = 0;
    for (int part = 0; part < 4; part++) {
        unsigned octet = 0, digits = 0;
        while (at < size && digits < 3) {
            unsigned digit = (unsigned)(text[at] - '0');
            if (digit > 9)
                break;
            if (digits && !octet)
                return -1;
            octet = 10 * octet + digit;
            digits++;
            at++;
        }
        if (!digits || octet > 255)
            return -1;
        value = value << 8 | octet;
        if (part < 3 && (at >= size || text[at++] != '.'))
            return -1;
    }
    return at == size ? (int64_t)value : -1;
}

static int hexadecimal(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int fwk_address6(const char *text, size_t size, uint8_t out[16])
{
    uint16_t group[8];
    int groups = 0, gap = -1;
    size_t at = 0;
    if (size < 2 || size > 39)
        return 0;
    if (text[0] == ':') {
        if (text[1] != ':')
            return 0;
        gap = 0;
        at = 2;
    }
    while (at < size) {
        unsigned value = 0, digits = 0;
        for (int digit; at < size && digits < 4 && (digit = hexadecimal(text[at])) >= 0; at++, digits++)
            value = value << 4 | (unsigned)digit;
        if (!digits || groups == 8)
            return 0;
        group[groups++] = (uint16_t)value;
        if (at == size)
            break;
        if (text[at++] != ':' || at == size)
            return 0;
        if (text[at] == ':') {
            if (gap >= 0)
                return 0;
            gap = groups;
            at++;
        }
    }
    if (gap < 0 ? groups != 8 : groups > 7)
        return 0;
    memset(out, 0, 16);
    for (int n = 0; n < groups; n++) {
        const int place = gap >= 0 && n >= gap ? 8 - groups + n : n;
        out[2 * place] = (uint8_t)(group[n] >> 8);
        out[2 * place + 1] = (uint8_t)group[n];
    }
    return 1;
}
