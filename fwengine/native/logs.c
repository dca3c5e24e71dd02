/* Flow logs natively: see logs.h. A row is taken only if each field is written plainly: whoever asks reads all others, and says
 * what is wrong with them. */
#include "logs.h"

#include "addresses.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *text;
    size_t size;
    int before; /* can the eight bytes in front of its end be read, and those in front of these? */
} field;

static inline int little_endian(void)
{
    const uint16_t one = 1;
    return *(const uint8_t *)&one;
}

/* The number of the digits in front of `end`, eight of them at a time; -1 if one is none. Eight bytes in front of `end` can be read. */
static int64_t digits_before(const char *end, size_t size)
{
    uint64_t x;
    memcpy(&x, end - 8, 8);
    const uint64_t other = size < 8 ? ((uint64_t)1 << (64 - 8 * size)) - 1 : 0; /* bytes that are no part of it */
    x = ((x & ~other) | (0x3030303030303030u & other)) ^ 0x3030303030303030u;
    if ((x | (x + 0x0606060606060606u)) & 0xf0f0f0f0f0f0f0f0u)
        return -1;
    x = (x * (1 + (10 << 8))) >> 8 & 0x00ff00ff00ff00ffu;                 /* pairs of digits */
    x = (x * (1 + (UINT64_C(100) << 16))) >> 16 & 0x0000ffff0000ffffu;    /* fours */
    return (int64_t)((x * (1 + (UINT64_C(10000) << 32))) >> 32);
}

/* A decimal number of at most 18 digits, all of it; -1 if it is none. */
static int64_t number(field f)
{
    uint64_t value = 0;
    if (!f.size || f.size > 18)
        return -1;
    if (f.before && little_endian()) {
        const int64_t low = digits_before(f.text + f.size, f.size < 8 ? f.size : 8);
        if (f.size <= 8 || low < 0)
            return low;
        const int64_t high = f.size > 16 ? -1 : digits_before(f.text + f.size - 8, f.size - 8);
        if (f.size <= 16)
            return high < 0 ? -1 : high * 100000000 + low;
    }
    for (size_t n = 0; n < f.size; n++) {
        unsigned digit = (unsigned)(f.text[n] - '0');
        if (digit > 9)
            return -1;
        value = 10 * value + digit;
    }
    return (int64_t)value;
}

static int is(field f, const char *word)
{
    size_t size = strlen(word);
    return f.size == size && !memcmp(f.text, word, size);
}

/* Whole seconds, ten digits of them, as milliseconds; `otherwise` if there is no such column; -1 if it is written otherwise. */
static int64_t seconds(const field *fields, int at, int64_t otherwise)
{
    if (at < 0)
        return otherwise;
    return fields[at].size == 10 ? 1000 * number(fields[at]) : -1;
}

/* Which of eight bytes are `c`: the upper bit of each. Exact: nothing is carried from one byte to the next. */
static inline uint64_t equal8(uint64_t bytes, char c)
{
    const uint64_t low = 0x7f7f7f7f7f7f7f7fu, x = bytes ^ 0x0101010101010101u * (uint8_t)c;
    return ~(((x & low) + low) | x | low);
}

static inline uint32_t lowest(uint64_t m)
{
#if defined(__GNUC__) || defined(__clang__)
    return (uint32_t)__builtin_ctzll(m);
#else
    uint32_t i = 0;
    while (!(m >> i & 1))
        i++;
    return i;
#endif
}

/* Fields between separators; how many, -1 if there are too many or one has a quotation mark. */
static int split(const char *line, size_t size, char separator, field *fields, int most)
{
    int count = 0;
    size_t at = 0, begin = 0;
    for (; little_endian() && at + 8 <= size; at += 8) {
        uint64_t eight;
        memcpy(&eight, line + at, 8);
        if (equal8(eight, '"'))
            return -1;
        for (uint64_t found = equal8(eight, separator); found; found &= found - 1) {
            const size_t stop = at + lowest(found) / 8;
            if (count == most)
                return -1;
            fields[count++] = (field){line + begin, stop - begin, stop >= 16};
            begin = stop + 1;
        }
    }
    for (; at <= size; at++) {
        if (at < size && line[at] == '"')
            return -1;
        if (at < size && line[at] != separator)
            continue;
        if (count == most)
            return -1;
        fields[count++] = (field){line + begin, at - begin, at >= 16};
        begin = at + 1;
    }
    return count;
}

/* The family of both addresses: 0 for IPv4, FWK_SIX, or FWK_ODD; of which side each is a group. */
static uint32_t ends(const field *fields, const int *at, int64_t four[2], uint8_t six[2][16], uint32_t *groups)
{
    *groups = 0;
    for (int side = 0; side < 2; side++) {
        const field f = fields[at[FWK_AT_SRC + side]];
        four[side] = fwk_address4(f.text, f.size);
        *groups |= (uint32_t)(four[side] >= 0xE0000000) << side;
    }
    if (four[0] >= 0 && four[1] >= 0)
        return 0;
    if (four[0] >= 0 || four[1] >= 0)
        return FWK_ODD;
    for (int side = 0; side < 2; side++) {
        const field f = fields[at[FWK_AT_SRC + side]];
        if (!fwk_address6(f.text, f.size, six[side]))
            return FWK_ODD;
        *groups |= (uint32_t)(six[side][0] == 0xff) << side;
    }
    return FWK_SIX;
}

/* What is recorded and summed in a row; 0 if something is written otherwise. */
static int sums_of(const field *fields, const int *at, fwk_flow_row *r)
{
    int64_t sums[2] = {0, 0};
    r->recorded = 0;
    if (at[FWK_AT_ACTION] >= 0) {
        const field f = fields[at[FWK_AT_ACTION]];
        if (!is(f, "ACCEPT") && !is(f, "REJECT"))
            return 0;
        r->recorded = f.text[0] == 'A' ? 1 : 2;
    }
    for (int n = 0; n < 2; n++)
        if (at[FWK_AT_BYTES + n] >= 0 && (sums[n] = number(fields[at[FWK_AT_BYTES + n]])) < 0)
            return 0;
    r->bytes = (uint64_t)sums[0];
    r->packets = (uint64_t)sums[1];
    r->first = seconds(fields, at[FWK_AT_START], FWK_LATEST);
    r->last = seconds(fields, at[FWK_AT_END], FWK_EARLIEST);
    return r->first >= 0 && (at[FWK_AT_END] < 0 || r->last >= 0);
}

/* The kind of a row, FWK_LEFT_OUT or FWK_ODD. */
static uint32_t row(const char *line, size_t size, const fwk_layout *layout, fwk_flow_row *r)
{
    field fields[FWK_MOST_FIELDS];
    const int *at = layout->at;
    int count = split(line, size, layout->separator, fields, FWK_MOST_FIELDS);
    if (count <= layout->last || (layout->width >= 0 && count != layout->width))
        return FWK_ODD;
    if (at[FWK_AT_STATUS] >= 0 && !is(fields[at[FWK_AT_STATUS]], "OK"))
        return FWK_ODD;
    int64_t protocol = number(fields[at[FWK_AT_PROTOCOL]]), flags = -1, four[2], ports[2] = {0, 0};
    uint32_t groups, six = ends(fields, at, four, r->six, &groups);
    if (six == FWK_ODD || protocol < 0 || protocol > 255 || fields[at[FWK_AT_PROTOCOL]].size > 3)
        return FWK_ODD;
    if (six && protocol == 1)
        protocol = 58; /* as most logs call it */
    for (int side = 0; side < 2; side++)
        if (at[FWK_AT_SPORT + side] >= 0) {
            ports[side] = number(fields[at[FWK_AT_SPORT + side]]);
            if (ports[side] < 0 || ports[side] > 65535)
                return FWK_ODD;
        }
    if (!fwk_ported((uint32_t)protocol))
        ports[0] = ports[1] = 0;
    if (at[FWK_AT_FLAGS] >= 0 && ((flags = number(fields[at[FWK_AT_FLAGS]])) < 0 || flags > 255))
        return FWK_ODD;
    if (!sums_of(fields, at, r))
        return FWK_ODD;
    const uint32_t kind = fwk_kind(&layout->sorting, six, (uint32_t)protocol, groups, (int)flags, (uint32_t)ports[0], (uint32_t)ports[1]);
    int64_t when = at[FWK_AT_START] >= 0 ? r->first : r->last;
    if (kind != FWK_ODD && (when < layout->sorting.since || when >= layout->sorting.until))
        return FWK_LEFT_OUT;
    /* where one port is told alone, a flow that is turned round is of another kind */
    if (kind & FWK_TURNED && (at[FWK_AT_SPORT] < 0 || at[FWK_AT_DPORT] < 0))
        return FWK_ODD;
    r->protocol = (uint8_t)protocol;
    for (int side = 0; side < 2; side++) {
        r->four[side] = (uint32_t)four[side];
        r->port[side] = (uint16_t)ports[side];
    }
    return kind;
}

static void put(const fwk_flow_row *r, uint32_t kind, fwk_flow_rows *o)
{
    const int turn = (kind & FWK_TURNED) != 0;
    const size_t n = o->rows++;
    o->protocol[n] = r->protocol;
    o->recorded[n] = r->recorded;
    if (kind & FWK_SIX) {
        memcpy(o->src6 + 16 * n, r->six[turn], 16);
        memcpy(o->dst6 + 16 * n, r->six[!turn], 16);
    } else {
        o->src[n] = r->four[turn];
        o->dst[n] = r->four[!turn];
    }
    o->sport[n] = r->port[turn];
    o->dport[n] = r->port[!turn];
    o->bytes[n] = r->bytes;
    o->packets[n] = r->packets;
    o->first[n] = r->first;
    o->last[n] = r->last;
}

int fwk_rows(const char *data, size_t size, const fwk_layout *layout, fwk_flow_rows out[FWK_TURNED], size_t most, fwk_odd *others,
             fwk_read *read)
{
    fwk_flow_row r;
    memset(read, 0, sizeof *read);
    while (read->bytes < size && read->lines < most) {
        const char *line = data + read->bytes, *stop = memchr(line, '\n', size - read->bytes);
        if (!stop)
            break;
        size_t length = (size_t)(stop - line), shown = length && line[length - 1] == '\r' ? length - 1 : length;
        const uint32_t what = row(line, shown, layout, &r);
        if (what == FWK_ODD)
            others[read->others++] = (fwk_odd){read->lines, read->bytes, read->bytes + shown};
        else if (what == FWK_LEFT_OUT)
            read->left_out++;
        else {
            fwk_flow_rows *o = &out[what & (FWK_TURNED - 1)];
            if (!o->protocol)
                return (int)(what & (FWK_TURNED - 1));
            put(&r, what, o);
        }
        read->lines++;
        read->bytes += length + 1;
    }
    return -1;
}
