/* Rows sorted by kind: see kinds.h. */
#include "kinds.h"

#include <string.h>

#define GROUPS 0xE0000000u

static int64_t at(const int64_t *column, size_t row)
{
    int64_t value;
    memcpy(&value, (const char *)column + 8 * row, 8);
    return value;
}

/* 0 for IPv4, FWK_SIX for IPv6, FWK_ODD for what is neither. */
static uint32_t family(const fwk_unsorted *u, size_t row)
{
    if (!u->src_family || !u->dst_family)
        return u->src_family || u->dst_family || (u->src && u->src6) ? FWK_ODD : u->src ? 0 : FWK_SIX;
    if (u->src_family[row] != u->dst_family[row])
        return FWK_ODD;
    return u->src_family[row] == 4 ? 0 : u->src_family[row] == 6 ? FWK_SIX : FWK_ODD;
}

static uint8_t kind_of(const fwk_sorting *s, const fwk_unsorted *u, size_t row)
{
    const uint32_t six = family(u, row);
    uint32_t protocol = u->protocol[row];
    if (six == FWK_ODD || (u->odd && u->odd[row]))
        return FWK_ODD;
    if ((u->bytes && at(u->bytes, row) < 0) || (u->packets && at(u->packets, row) < 0))
        return FWK_ODD;
    if (six && protocol == 1)
        protocol = 58; /* as most logs call it */
    const uint32_t groups = six ? (u->src6[16 * row] == 0xff) | (u->dst6[16 * row] == 0xff) << 1
                                : (u->src[row] >= GROUPS) | (u->dst[row] >= GROUPS) << 1;
    const uint32_t kind = fwk_kind(s, six, protocol, groups, u->flags ? u->flags[row] : -1, u->sport ? u->sport[row] : 0,
                                   u->dport ? u->dport[row] : 0);
    if (kind != FWK_ODD && u->start && (at(u->start, row) < s->since || at(u->start, row) >= s->until))
        return FWK_LEFT_OUT;
    return (uint8_t)kind;
}

/* How many of these IPv4 rows are certainly of one kind, from the first on: no group, no ICMP, opened by the source. */
static size_t plain(const fwk_sorting *s, const fwk_unsorted *u, size_t row, size_t end)
{
    if (u->src_family || u->dst_family || !u->src || u->src6 || u->flags || u->odd || u->start || s->opener == FWK_BY_PORT)
        return row;
    for (; row + 64 <= end; row += 64) {
        uint32_t odd = 0;
        int64_t sign = 0;
        for (size_t n = row; n < row + 64; n++)
            odd |= (u->src[n] >= GROUPS) | (u->dst[n] >= GROUPS);
        for (size_t n = row; n < row + 64; n++)
            odd |= u->protocol[n] == 1;
        if (u->sport && u->dport)
            for (size_t n = row; n < row + 64; n++)
                odd |= !(u->sport[n] | u->dport[n]);
        for (size_t n = row; u->bytes && n < row + 64; n++)
            sign |= at(u->bytes, n);
        for (size_t n = row; u->packets && n < row + 64; n++)
            sign |= at(u->packets, n);
        if (odd || sign < 0)
            break;
    }
    return row;
}

void fwk_sort(const fwk_sorting *s, const fwk_unsorted *u, size_t rows, uint8_t *kinds, size_t count[256])
{
    const uint8_t usual = s->opener == FWK_OPEN ? FWK_EITHER : 0;
    memset(count, 0, 256 * sizeof *count);
    for (size_t row = 0; row < rows;) {
        const size_t end = plain(s, u, row, rows);
        memset(kinds + row, usual, end - row);
        count[usual] += end - row;
        const size_t stop = rows - end < 64 ? rows : end + 64;
        for (row = end; row < stop; row++)
            count[kinds[row] = kind_of(s, u, row)]++;
    }
}

#define PICK(type)                                                                                                     \
    for (size_t row = 0; row < rows; row++)                                                                            \
        if (kinds[row] == kind) {                                                                                      \
            memcpy(out, column + sizeof(type) * row, sizeof(type));                                                    \
            out += sizeof(type);                                                                                       \
        }

void fwk_pick(const uint8_t *kinds, size_t rows, uint8_t kind, const uint8_t *column, size_t size, uint8_t *out)
{
    switch (size) {
    case 1: PICK(uint8_t) break;
    case 2: PICK(uint16_t) break;
    case 4: PICK(uint32_t) break;
    case 8: PICK(uint64_t) break;
    default:
        for (size_t row = 0; row < rows; row++)
            if (kinds[row] == kind) {
                memcpy(out, column + size * row, size);
                out += size;
            }
    }
}
