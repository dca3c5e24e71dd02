/* One line a packet. What is written is what model/packet.py's PointWriter writes, which the tests compare; what is rare is
 * left to others. */
#include "lines.h"

#include <stdlib.h>
#include <string.h>

#define NUMBER 20   /* digits */
#define ADDRESS 42  /* an IPv6 address in brackets and a byte to spare */
#define PORT 6

static uint8_t *put(uint8_t *o, const fwk_words *w, uint32_t k)
{
    const uint32_t length = w->at[k + 1] - w->at[k];
    memcpy(o, w->text + w->at[k], length);
    return o + length;
}

static uint8_t *decimal(uint8_t *o, uint64_t x, uint32_t width)
{
    uint8_t digits[NUMBER];
    uint32_t n = 0;
    do
        digits[n++] = (uint8_t)('0' + x % 10);
    while (x /= 10);
    for (uint32_t k = n; k < width; k++)
        *o++ = ' ';
    while (n)
        *o++ = digits[--n];
    return o;
}

static uint8_t *byte(uint8_t *o, uint32_t x)
{
    if (x >= 100)
        *o++ = (uint8_t)('0' + x / 100);
    if (x >= 10)
        *o++ = (uint8_t)('0' + x / 10 % 10);
    *o++ = (uint8_t)('0' + x % 10);
    return o;
}

static uint8_t *address4(uint8_t *o, const uint8_t *a)
{
    for (int k = 0; k < 4; k++) {
        o = byte(o, a[k]);
        *o++ = '.';
    }
    return o - 1;
}

static uint32_t group(const uint8_t *a, uint32_t k) { return (uint32_t)a[2 * k] << 8 | a[2 * k + 1]; }

/* RFC 5952: the first of the longest runs of two zero groups or more is `::`. */
static uint8_t *address6(uint8_t *o, const uint8_t *a)
{
    uint32_t best = 8, length = 1;
    for (uint32_t k = 0; k < 8; k++) {
        uint32_t n = 0;
        while (k + n < 8 && !group(a, k + n))
            n++;
        if (n > length) {
            best = k;
            length = n;
        }
        k += n;
    }
    for (uint32_t k = 0; k < 8; k++) {
        if (k == best) {
            *o++ = ':';
            if (!k)
                *o++ = ':';
            k += length - 1;
            continue;
        }
        const uint32_t g = group(a, k);
        for (int shift = g >= 0x1000 ? 12 : g >= 0x100 ? 8 : g >= 0x10 ? 4 : 0; shift >= 0; shift -= 4)
            *o++ = (uint8_t)"0123456789abcdef"[g >> shift & 15];
        if (k < 7)
            *o++ = ':';
    }
    return o;
}

/* Addresses of which an IPv4 address is a part are written in several ways: others know how. */
static int is_plain6(const uint8_t *a)
{
    uint32_t some = 0;
    for (int k = 0; k < 10; k++)
        some |= a[k];
    return some != 0;
}

static uint8_t *end(uint8_t *o, int six, int ported, int has_port, const uint8_t *a, uint32_t port)
{
    if (six && ported)
        *o++ = '[';
    o = six ? address6(o, a) : address4(o, a);
    if (six && ported)
        *o++ = ']';
    if (has_port) {
        *o++ = ':';
        o = decimal(o, port, 0);
    }
    return o;
}

/* The number of the word that an option has for a packet; FWK_NONE if it has none there. */
static uint32_t value_of(const fwk_writer *w, uint32_t field, const fwk_packet *p, const fwk_frame *f, uint32_t has)
{
    const uint32_t name = f->spare & 0x7fffffffu, went_out = f->spare >> 31;
    switch (field) {
    case FWK_TYPE: return has & FWK_HAS_TYPE ? p->type : FWK_NONE;
    case FWK_CODE: return has & FWK_HAS_TYPE ? p->code : FWK_NONE;
    case FWK_FLAGS: return has & FWK_HAS_FLAGS ? p->flags : FWK_NONE;
    case FWK_FRAGMENT: return p->fragment;
    case FWK_IN: return w->in != FWK_NONE ? w->in : went_out ? 0 : name;
    case FWK_OUT: return w->out != FWK_NONE ? w->out : went_out ? name : 0;
    case FWK_STATE: return w->state;
    case FWK_DSCP: return p->dscp;
    case FWK_TTL: return p->ttl;
    default: return p->length;
    }
}

/* The packet's line; null if it is for others to write. There is room. */
static uint8_t *line(const fwk_writer *w, const fwk_packet *p, int six, const fwk_frame *f, uint32_t row, uint64_t number,
                     uint8_t *o)
{
    const uint32_t kind = w->has[256 * six + p->protocol], has = p->fragment == 2 ? 0 : kind;
    if (six && !(is_plain6(p->src) && is_plain6(p->dst)))
        return NULL;
    o = put(o, &w->begin, 0);
    o = decimal(o, number, w->width);
    o = put(o, &w->head, row);
    o = put(o, &w->protocol, p->protocol);
    *o++ = ' ';
    o = end(o, six, kind & FWK_HAS_PORTS, has & FWK_HAS_PORTS, p->src, p->sport);
    memcpy(o, " -> ", 4);
    o = end(o + 4, six, kind & FWK_HAS_PORTS, has & FWK_HAS_PORTS, p->dst, p->dport);
    for (uint32_t k = 0; k < w->options; k++) {
        const uint32_t value = value_of(w, w->field[k], p, f, has);
        if (value == FWK_NONE)
            continue;
        if (value >= w->option[k].count)
            return NULL;
        o = put(o, &w->option[k], value);
    }
    return put(o, &w->tail, row);
}

static int grow(void **data, size_t *room, size_t need, size_t item)
{
    if (need <= *room)
        return 1;
    const size_t more = need + need / 2 + 64;
    void *grown = realloc(*data, more * item);
    if (!grown)
        return 0;
    *data = grown;
    *room = more;
    return 1;
}

static int leave(fwk_text *t, size_t frame, uint32_t index, uint32_t what)
{
    void *others = t->others;
    const int good = grow(&others, &t->space, t->count + 1, sizeof *t->others);
    t->others = others;
    if (good)
        t->others[t->count++] = (fwk_other){t->size, (uint32_t)frame, index, what};
    return good;
}

int fwk_lines(const fwk_writer *w, const uint8_t *data, const fwk_frame *frames, size_t n, const uint32_t *indices,
              uint64_t number, uint64_t *told, fwk_text *t)
{
    size_t most = NUMBER + w->width + 2 * (ADDRESS + PORT) + 8;
    most += (size_t)w->begin.most + w->head.most + w->tail.most + w->protocol.most;
    for (uint32_t k = 0; k < w->options; k++)
        most += w->option[k].most;
    for (size_t i = 0; i < n; i++) {
        const fwk_frame *f = &frames[i];
        const uint32_t row = indices[i];
        fwk_packet p;
        int class = FWK_NOT_IP;
        p.what = 0;
        if (row < w->head.count || row == FWK_IS_NOT_IP)
            class = fwk_decode(data + f->offset, f->captured, f->wire, f->link, &p);
        if (row < w->head.count && class <= FWK_IPV6 && !fwk_is_log(f->link)) {
            if (!w->shown[row]) {
                told[row]++;
                continue;
            }
            void *text = t->text;
            const int good = grow(&text, &t->room, t->size + most, 1);
            t->text = text;
            if (!good)
                return 0;
            uint8_t *end_ = line(w, &p, class == FWK_IPV6, f, row, number + i, t->text + t->size);
            if (end_) {
                t->size = (size_t)(end_ - t->text);
                told[row]++;
                continue;
            }
        }
        if (!leave(t, i, fwk_is_log(f->link) ? FWK_LOOK : row, class == FWK_NOT_IP ? p.what : 0))
            return 0;
    }
    return 1;
}
