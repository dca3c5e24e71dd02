/* Frames are decoded one by one into columns of each family; whenever a column is full the batch is classified. */
#include "count.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    uint32_t src[FWK_BATCH], dst[FWK_BATCH];
    uint8_t src6[FWK_BATCH * 16], dst6[FWK_BATCH * 16];
    uint16_t sport[FWK_BATCH], dport[FWK_BATCH], meta[FWK_BATCH];
    uint32_t wire[FWK_BATCH], out[FWK_BATCH];
    size_t frame[FWK_BATCH];
    uint32_t n;
} pending;

static inline uint32_t word_at(const uint8_t *p)
{
    uint32_t x;
#if defined(__GNUC__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(&x, p, 4);
    x = __builtin_bswap32(x);
#else
    x = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
#endif
    return x;
}

static void note_recorded(const fwk_tally *t, uint64_t row, uint32_t recorded)
{
    if (recorded == FWK_PASSED || recorded == FWK_BLOCKED)
        t->recorded[2 * row + (recorded == FWK_BLOCKED)]++;
}

static void flush(const fwk_tally *t, pending *p, int v6, const fwk_frame *frames, uint32_t *out)
{
    const fwk_family *family = v6 ? t->v6 : t->v4;
    fwk_batch b = {p->src, p->dst, p->src6, p->dst6, p->sport, p->dport, p->meta, p->n};
    (v6 ? t->run6 : t->run4)(family->table, &b, family->rules, p->out);
    for (uint32_t j = 0; j < p->n; j++) {
        uint64_t *count = t->count + 2 * (size_t)p->out[j];
        count[0]++;
        count[1] += p->wire[j];
    }
    if (out)
        for (uint32_t j = 0; j < p->n; j++)
            out[p->frame[j]] = p->out[j];
    if (t->recorded)
        for (uint32_t j = 0; j < p->n; j++)
            note_recorded(t, p->out[j], frames[p->frame[j]].recorded);
    p->n = 0;
}

/* What nearly all traffic is: Ethernet, IPv4 without options, a whole tcp or udp packet. Must agree with fwk_decode.
 * Without branches on what differs from packet to packet. */
static inline int is_quick(const uint8_t *d, const fwk_frame *f)
{
    if (f->link != 1 || f->captured < 48 || d[12] != 0x08 || d[13] != 0x00 || d[14] != 0x45)
        return 0;
    const uint32_t total = (uint32_t)d[16] << 8 | d[17], tcp = d[23] == 6, udp = d[23] == 17, offset = d[46];
    const uint32_t header = tcp ? offset >> 2 & 0x3Cu : 8;
    return (((d[20] & 0x3F) | d[21]) == 0) & (tcp | udp) & ((offset >= 0x50) | udp) & (total >= 20 + header) & (total + 14 <= f->wire);
}

#define VALUE(name, column, item, place) place,

/* The class, from the first one on. FWK_NO_META if a value is outside its field's domain. */
static inline uint32_t meta_of(const fwk_family *family, uint32_t first, const fwk_packet *p, const fwk_frame *f,
                               const fwk_tally *t)
{
    if (FWK_LIKELY(!family->stages))
        return first;
    const uint32_t value[FWK_STAGES] = {FWK_FIELDS(VALUE)};
    for (uint32_t s = 0; s < family->stages; s++) {
        const fwk_stage *stage = &family->stage[s];
        if (value[stage->field] >= stage->values)
            return FWK_NO_META;
        first = stage->table[first * stage->width + stage->of_value[value[stage->field]]];
    }
    return first;
}

/* The class of a tcp packet whose flags are not captured, if it is one whatever they are; else FWK_NO_META. */
static uint32_t meta_of_any_flags(const fwk_family *family, fwk_packet *p, const fwk_frame *f, const fwk_tally *t)
{
    const uint32_t kind = family->of_protocol[3 * p->protocol + p->fragment];
    uint32_t s = 0;
    while (s < family->stages && family->stage[s].field != FWK_FLAGS)
        s++;
    p->flags = 0;
    const uint32_t meta = meta_of(family, kind, p, f, t);
    for (uint32_t flags = 1; s < family->stages && flags < 256 && meta != FWK_NO_META; flags++) {
        p->flags = (uint8_t)flags;
        if (meta_of(family, kind, p, f, t) != meta)
            return FWK_NO_META;
    }
    return meta;
}

/* Notes a frame for who has time to decide it; 0 if there is no memory. */
static int doubt(fwk_tally *t, size_t i)
{
    if (t->doubts == t->room) {
        size_t room = t->room ? 2 * t->room : 256;
        uint32_t *more = realloc(t->doubtful, room * sizeof *more);
        if (!more)
            return 0;
        t->doubtful = more;
        t->room = room;
    }
    t->doubtful[t->doubts++] = (uint32_t)i;
    return 1;
}

int fwk_count(fwk_tally *t, const uint8_t *data, const fwk_frame *frames, size_t n, uint32_t *out)
{
    pending four, six;
    const uint64_t others = (uint64_t)t->v4->rules + 1;
    memset(&four, 0, sizeof four);
    memset(&six, 0, sizeof six);
    for (size_t i = 0; i < n; i++) {
        const fwk_frame *f = &frames[i];
        const uint8_t *d = data + f->offset;
        fwk_packet p;
        int class = FWK_IPV4;
        if (is_quick(d, f)) {
            p = (fwk_packet){.src = d + 26, .dst = d + 30, .protocol = d[23], .flags = d[23] == 6 ? d[47] : 0};
            p.length = (uint32_t)d[16] << 8 | d[17];
            p.dscp = d[15] >> 2;
            p.ttl = d[22];
            p.sport = (uint16_t)(d[34] << 8 | d[35]);
            p.dport = (uint16_t)(d[36] << 8 | d[37]);
        } else
            class = fwk_decode(d, f->captured, f->wire, f->link, &p);
        uint32_t open = FWK_NO_META;
        if (class == FWK_TRUNCATED && p.open) {
            open = meta_of_any_flags(p.open == 4 ? t->v4 : t->v6, &p, f, t);
            if (open != FWK_NO_META) {
                class = p.open == 4 ? FWK_IPV4 : FWK_IPV6;
                t->count[2 * (others + FWK_PARTIAL_ROW)]++;
                t->count[2 * (others + FWK_PARTIAL_ROW) + 1] += f->wire;
            }
        }
        if (class == FWK_IPV4) {
            uint32_t j = four.n, meta = open;
            if (FWK_LIKELY(meta == FWK_NO_META))
                meta = meta_of(t->v4, t->v4->of_protocol[3 * p.protocol + p.fragment], &p, f, t);
            if (meta == FWK_NO_META)
                return FWK_COUNT_RANGE;
            four.meta[j] = (uint16_t)meta;
            four.src[j] = word_at(p.src);
            four.dst[j] = word_at(p.dst);
            four.sport[j] = p.sport;
            four.dport[j] = p.dport;
            four.wire[j] = f->wire;
            four.frame[j] = i;
            if (++four.n == FWK_BATCH)
                flush(t, &four, 0, frames, out);
        } else if (class == FWK_IPV6) {
            uint32_t j = six.n, meta = open;
            if (FWK_LIKELY(meta == FWK_NO_META))
                meta = meta_of(t->v6, t->v6->of_protocol[3 * p.protocol + p.fragment], &p, f, t);
            if (meta == FWK_NO_META)
                return FWK_COUNT_RANGE;
            six.meta[j] = (uint16_t)meta;
            memcpy(six.src6 + 16 * j, p.src, 16);
            memcpy(six.dst6 + 16 * j, p.dst, 16);
            six.sport[j] = p.sport;
            six.dport[j] = p.dport;
            six.wire[j] = f->wire;
            six.frame[j] = i;
            if (++six.n == FWK_BATCH)
                flush(t, &six, 1, frames, out);
        } else {
            const uint64_t row = others + (uint32_t)(class - FWK_NOT_IP);
            uint64_t *count = t->count + 2 * row;
            count[0]++;
            count[1] += f->wire;
            if (class == FWK_TRUNCATED && !doubt(t, i))
                return FWK_COUNT_MEMORY;
            if (t->recorded)
                note_recorded(t, row, f->recorded);
            if (t->kinds && class == FWK_NOT_IP)
                t->kinds[t->kinds_used++] = p.what;
            if (out)
                out[i] = FWK_IS_NOT_IP - (uint32_t)(class - FWK_NOT_IP);
        }
    }
    if (four.n)
        flush(t, &four, 0, frames, out);
    if (six.n)
        flush(t, &six, 1, frames, out);
    return FWK_COUNT_DONE;
}
