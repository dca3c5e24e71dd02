/* Flow logs natively: see logs.h. A row is taken only if each field is written plainly: whoever asks reads all others, and says
 * what is wrong with them. */
#include "logs.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *text;
    size_t size;
} field;

/* A decimal number of at most 18 digits, all of it; -1 if it is none. */
static int64_t number(field f)
{
    uint64_t value = 0;
    if (!f.size || f.size > 18)
        return -1;
    for (size_t n = 0; n < f.size; n++) {
        unsigned digit = (unsigned)(f.text[n] - '0');
        if (digit > 9)
            return -1;
        value = 10 * value + digit;
    }
    return (int64_t)value;
}

/* A dotted IPv4 address without leading zeros; -1 if it is none. */
static int64_t address(field f)
{
    uint32_t value = 0;
    size_t at = 0;
    for (int part = 0; part < 4; part++) {
        unsigned octet = 0, digits = 0;
        while (at < f.size && digits < 3) {
            unsigned digit = (unsigned)(f.text[at] - '0');
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
        if (part < 3 && (at >= f.size || f.text[at++] != '.'))
            return -1;
    }
    return at == f.size ? (int64_t)value : -1;
}

static int is(field f, const char *word)
{
    size_t size = strlen(word);
    return f.size == size && !memcmp(f.text, word, size);
}

static int ported(int64_t protocol)
{
    return protocol == 6 || protocol == 17 || protocol == 33 || protocol == 132 || protocol == 136;
}

/* Whole seconds, ten digits of them, as milliseconds; `otherwise` if there is no such column; -1 if it is written otherwise. */
static int64_t seconds(const field *fields, int at, int64_t otherwise)
{
    if (at < 0)
        return otherwise;
    return fields[at].size == 10 ? 1000 * number(fields[at]) : -1;
}

enum { PLAIN, OTHER, LEFT_OUT };

static int split(const char *line, size_t size, char separator, field *fields, int most)
{
    int count = 0;
    const char *end = line + size;
    for (;;) {
        const char *stop = line;
        while (stop < end && *stop != separator)
            stop++;
        if (count == most)
            return -1;
        fields[count].text = line;
        fields[count++].size = (size_t)(stop - line);
        if (stop == end)
            return count;
        line = stop + 1;
    }
}

/* Who opened it: 1 the source, 0 its peer, 2 if that is open, -1 if it is to be looked at. */
static int opened(const fwk_layout *layout, const field *fields, int64_t protocol, int64_t sport, int64_t dport)
{
    if (layout->at[FWK_AT_FLAGS] >= 0) {
        int64_t flags = number(fields[layout->at[FWK_AT_FLAGS]]);
        if (flags < 0 || flags > 255)
            return -1;
        if (protocol == 6 && (flags & 2)) {
            if (!(flags & 16))
                return 1;
            if (layout->flags == FWK_ACK_TOLD)
                return 0;
        }
    }
    if (layout->opener == FWK_BY_SRC)
        return 1;
    if (layout->opener == FWK_OPEN)
        return 2;
    if (!ported(protocol) || layout->at[FWK_AT_SPORT] < 0 || layout->at[FWK_AT_DPORT] < 0 || sport == dport)
        return 2;
    return sport > dport;
}

static int row(const char *line, size_t size, const fwk_layout *layout, fwk_flow_rows out[2])
{
    field fields[FWK_MOST_FIELDS];
    const int *at = layout->at;
    int count = split(line, size, layout->separator, fields, FWK_MOST_FIELDS);
    if (count < 0 || memchr(line, '"', size) || (layout->width >= 0 && count != layout->width))
        return OTHER;
    for (int role = 0; role < FWK_AT_ROLES; role++)
        if (at[role] >= count)
            return OTHER;
    if (at[FWK_AT_STATUS] >= 0 && !is(fields[at[FWK_AT_STATUS]], "OK"))
        return OTHER;
    int64_t src = address(fields[at[FWK_AT_SRC]]), dst = address(fields[at[FWK_AT_DST]]);
    if (src < 0 || dst < 0 || src >= 0xE0000000 || dst >= 0xE0000000)
        return OTHER;
    int64_t protocol = number(fields[at[FWK_AT_PROTOCOL]]);
    if (protocol < 0 || protocol > 255 || protocol == 1 || fields[at[FWK_AT_PROTOCOL]].size > 3)
        return OTHER;
    int64_t ports[2] = {0, 0};
    for (int side = 0; side < 2; side++)
        if (at[FWK_AT_SPORT + side] >= 0) {
            ports[side] = number(fields[at[FWK_AT_SPORT + side]]);
            if (ports[side] < 0 || ports[side] > 65535)
                return OTHER;
        }
    if (!ported(protocol))
        ports[0] = ports[1] = 0;
    else if (!ports[0] && !ports[1] && at[FWK_AT_SPORT] >= 0 && at[FWK_AT_DPORT] >= 0)
        return OTHER;
    int recorded = 0;
    if (at[FWK_AT_ACTION] >= 0) {
        recorded = is(fields[at[FWK_AT_ACTION]], "ACCEPT") ? 1 : is(fields[at[FWK_AT_ACTION]], "REJECT") ? 2 : -1;
        if (recorded < 0)
            return OTHER;
    }
    int64_t sums[2] = {0, 0};
    for (int n = 0; n < 2; n++)
        if (at[FWK_AT_BYTES + n] >= 0 && (sums[n] = number(fields[at[FWK_AT_BYTES + n]])) < 0)
            return OTHER;
    int64_t first = seconds(fields, at[FWK_AT_START], FWK_LATEST), last = seconds(fields, at[FWK_AT_END], FWK_EARLIEST);
    if (first < 0 || (at[FWK_AT_END] >= 0 && last < 0))
        return OTHER;
    int who = opened(layout, fields, protocol, ports[0], ports[1]);
    if (who < 0)
        return OTHER;
    int64_t when = at[FWK_AT_START] >= 0 ? first : last;
    if (when < layout->since || when >= layout->until)
        return LEFT_OUT;
    int turn = who == 0;
    if (turn && (at[FWK_AT_SPORT] < 0 || at[FWK_AT_DPORT] < 0))
        return OTHER;
    fwk_flow_rows *o = &out[who == 2];
    size_t n = o->rows++;
    o->protocol[n] = (uint8_t)protocol;
    o->recorded[n] = (uint8_t)recorded;
    o->src[n] = (uint32_t)(turn ? dst : src);
    o->dst[n] = (uint32_t)(turn ? src : dst);
    o->sport[n] = (uint16_t)ports[turn];
    o->dport[n] = (uint16_t)ports[!turn];
    o->bytes[n] = (uint64_t)sums[0];
    o->packets[n] = (uint64_t)sums[1];
    o->first[n] = first;
    o->last[n] = last;
    return PLAIN;
}

size_t fwk_rows(const char *data, size_t size, const fwk_layout *layout, fwk_flow_rows out[2], size_t most, fwk_odd *others,
                size_t *other, size_t *lines, size_t *left_out)
{
    size_t at = 0;
    *other = *lines = *left_out = 0;
    while (at < size && *lines < most) {
        const char *line = data + at, *stop = memchr(line, '\n', size - at);
        if (!stop)
            break;
        size_t length = (size_t)(stop - line), shown = length && line[length - 1] == '\r' ? length - 1 : length;
        int what = row(line, shown, layout, out);
        if (what == OTHER) {
            others[*other].line = *lines;
            others[*other].begin = at;
            others[(*other)++].end = at + shown;
        } else if (what == LEFT_OUT)
            (*left_out)++;
        (*lines)++;
        at += length + 1;
    }
    return at;
}
