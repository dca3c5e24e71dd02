/* Records of pcap and pcapng. The rules are those of packets/pcap.py and packets/pcapng.py, in the same order, so that a
 * damaged file gives the same records before the damage. */
#include "decode.h"

#include <stdlib.h>
#include <string.h>

#define SECTION 0x0A0D0D0Au
#define BYTE_ORDER_MAGIC 0x1A2B3C4Du

static inline uint32_t word(const uint8_t *p, int big)
{
    return big ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]
               : (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static inline uint32_t short_word(const uint8_t *p, int big)
{
    return big ? (uint32_t)p[0] << 8 | p[1] : (uint32_t)p[1] << 8 | p[0];
}

static inline uint64_t double_word(const uint8_t *p, int big)
{
    return (uint64_t)word(p + (big ? 0 : 4), big) << 32 | word(p + (big ? 4 : 0), big);
}

static int stop(fwk_walker *w, int reason, size_t at, uint64_t detail)
{
    w->at = at;
    w->detail = (uint32_t)detail;
    return reason;
}

/* Notes that a frame came in, or went out, by the interface of this name. */
static void note_use(fwk_walker *w, uint32_t name, int went_out, fwk_frame *f)
{
    w->used[name < 65535 ? name : 65535] |= went_out ? 2 : 1;
    f->spare = name | (went_out ? 0x80000000u : 0);
}

static uint32_t hash_of(const uint8_t *text, uint32_t length)
{
    uint32_t hash = 2166136261u;
    for (uint32_t i = 0; i < length; i++)
        hash = (hash ^ text[i]) * 16777619u;
    return (hash ^ hash >> 16) % FWK_NAMES;
}

/* Sets a frame's interfaces and what was done with it, by its own header; 0 if that names an unknown interface. */
static int read_log(fwk_walker *w, const uint8_t *data, fwk_frame *f)
{
    const uint8_t *d = data + f->offset, *text = d;
    uint32_t most = 0, direction = 0, length = 0;
    if (f->link == 117 && f->captured >= 61 && d[0] >= 61) {
        f->recorded = d[2] == 0 ? FWK_PASSED : d[2] == 1 || d[2] == 9 ? FWK_BLOCKED : 0;
        text = d + 4;
        most = 16;
        direction = d[60];
    } else if ((f->link == 149 || f->link == 258) && f->captured >= 40) {
        text = d + 12;
        most = 24;
        direction = d[36] & 3;
    }
    while (length < most && text[length])
        length++;
    if (!length)
        return 1;
    const fwk_named *known = &w->named[hash_of(text, length)];
    if (known->length != length || memcmp(known->text, text, length)) {
        memcpy(w->naming.text, text, length);
        w->naming.length = (uint16_t)length;
        w->name = (size_t)(text - data);
        w->name_length = length;
        return 0;
    }
    if (known->name)
        note_use(w, known->name, direction == 2, f);
    if (direction == 2 && !w->state_out)
        f->out = known->out;
    if (direction != 2 && !w->state_in)
        f->in = known->in;
    return 1;
}

static inline int walk_pcap(fwk_walker *w, const uint8_t *data, size_t size, size_t at, fwk_frame *frames, uint32_t room,
                            int big)
{
    const uint32_t header = w->header;
    const int log = fwk_is_log(w->link);
    uint32_t n = 0;
    w->need = header;
    while (size - at >= header) {
        uint32_t captured = word(data + at + 8, big), wire = word(data + at + 12, big);
        if (w->swapped && (w->swapped == 2 || captured > wire)) {
            uint32_t t = captured;
            captured = wire;
            wire = t;
        }
        if (captured > FWK_MAX_CAPTURED) {
            w->frames = n;
            return stop(w, FWK_CAPLEN, at, captured);
        }
        if (size - at - header < captured) {
            w->need = (size_t)header + captured;
            break;
        }
        if (n == room) {
            w->frames = n;
            return stop(w, FWK_FULL, at, 0);
        }
        fwk_frame *f = &frames[n++];
        f->offset = (uint32_t)(at + header);
        f->captured = captured;
        f->wire = wire;
        f->link = w->link;
        f->in = w->in;
        f->out = w->out;
        f->recorded = 0;
        f->spare = 0;
        f->ticks = (uint64_t)word(data + at, big) * 1000000000u + (uint64_t)word(data + at + 4, big) * w->scale;
        f->clock = FWK_NANOSECONDS;
        f->unused = 0;
        if (log && !read_log(w, data, f)) {
            w->frames = n - 1;
            return stop(w, FWK_NAMED, at, 0);
        }
        at += header + captured;
    }
    w->frames = n;
    return stop(w, FWK_MORE, at, 0);
}

/* The direction in a packet's options: 1 in, 2 out, 0 not known; -1 if one does not fit. */
static int direction_of(const uint8_t *data, uint64_t at, uint64_t end, int big)
{
    while (at + 4 <= end) {
        uint32_t code = short_word(data + at, big), length = short_word(data + at + 2, big);
        if (!code)
            return 0;
        at += 4;
        if (at + length > end)
            return -1;
        if (code == 2 && length == 4)
            return (int)(word(data + at, big) & 3);
        at += length + (-length & 3u);
    }
    return 0;
}

static int outgoing(const uint8_t *data, uint32_t size, uint32_t link)
{
    if (link == 113)
        return size >= 2 && data[0] == 0 && data[1] == 4;
    if (link == 276)
        return size >= 11 && data[10] == 4;
    if (link == 8 || (link >= 204 && link <= 206)) /* whose first byte is 0 for what came in */
        return size >= 1 && data[0];
    return link == 178 && size >= 4 && data[0] == 'M' && data[1] == 'G' && data[2] == 'C' && !(data[3] & 1);
}

static int describe(fwk_walker *w, const uint8_t *data, uint64_t at, uint64_t end)
{
    uint64_t option = at + 16;
    int named = 0, resolution = 0, offset = 0;
    if (w->count >= FWK_MAX_INTERFACES)
        return FWK_CROWD;
    w->described = (fwk_interface){.link = (uint16_t)short_word(data + at + 8, w->big),
                                   .snaplen = word(data + at + 12, w->big)};
    w->name_length = 0;
    w->name = (size_t)at;
    w->resolution = 6;
    w->epoch = 0;
    int bad_time = 0;
    while (option + 4 <= end) {
        uint32_t code = short_word(data + option, w->big), length = short_word(data + option + 2, w->big);
        if (!code)
            break;
        option += 4;
        if (option + length > end)
            return FWK_OPTION;
        if (code == 2 && !named) { /* the first of a kind counts */
            named = 1;
            w->name = (size_t)option;
            w->name_length = length;
        } else if (code == 9 && !resolution) {
            resolution = 1;
            bad_time |= length != 1;
            if (length == 1)
                w->resolution = data[option];
        } else if (code == 14 && !offset) {
            offset = 1;
            bad_time |= length != 8;
            if (length == 8)
                w->epoch = (int64_t)double_word(data + option, w->big);
        }
        option += length + (-length & 3u);
    }
    return bad_time ? FWK_TIME : FWK_DESCRIBED;
}

static int walk_pcapng(fwk_walker *w, const uint8_t *data, size_t size, size_t at, fwk_frame *frames, uint32_t room)
{
    w->frames = 0;
    w->need = 12;
    while (size - at >= 12) {
        const uint8_t *b = data + at;
        uint32_t kind = word(b, w->big), total = word(b + 4, w->big);
        if (kind == SECTION) {
            if (size - at < 28) {
                w->need = 28;
                return stop(w, FWK_MORE, at, 0);
            }
            if (word(b + 8, 0) == BYTE_ORDER_MAGIC)
                w->big = 0;
            else if (word(b + 8, 1) == BYTE_ORDER_MAGIC)
                w->big = 1;
            else
                return stop(w, FWK_MAGIC, at, 0);
            total = word(b + 4, w->big);
            if (total < 28 || total & 3 || total > FWK_MAX_BLOCK)
                return stop(w, FWK_BLOCK, at, total);
            uint32_t major = short_word(b + 12, w->big), minor = short_word(b + 14, w->big);
            if (major != 1 || (minor != 0 && minor != 2))
                return stop(w, FWK_VERSION, at, major << 16 | minor);
            w->count = 0;
        } else if (total < 12 || total & 3 || total > FWK_MAX_BLOCK)
            return stop(w, FWK_BLOCK, at, total);
        if (size - at < total) {
            w->need = total;
            return stop(w, FWK_MORE, at, 0);
        }
        if (word(b + total - 4, w->big) != total)
            return stop(w, FWK_TRAILER, at, 0);
        if (kind == 1 || kind == 2 || kind == 3 || kind == 6) {
            if (total < (kind == 1 ? 20u : kind == 3 ? 16u : 32u))
                return stop(w, FWK_BLOCK, at, total);
            uint64_t end = (uint64_t)at + total - 4;
            if (kind == 1) {
                int reason = describe(w, data, at, end);
                return stop(w, reason, reason == FWK_DESCRIBED ? at + total : at, 0);
            }
            uint32_t number = 0, captured, wire;
            uint64_t start = (uint64_t)at + 28;
            if (kind == 3) {
                start = (uint64_t)at + 12;
                captured = wire = word(b + 8, w->big);
                if (w->count && w->interfaces[0].snaplen && w->interfaces[0].snaplen < wire)
                    captured = w->interfaces[0].snaplen;
            } else {
                number = kind == 6 ? word(b + 8, w->big) : short_word(b + 8, w->big);
                captured = word(b + 20, w->big);
                wire = word(b + 24, w->big);
            }
            if (number >= w->count)
                return stop(w, FWK_UNKNOWN, at, number);
            if (captured > FWK_MAX_CAPTURED)
                return stop(w, FWK_CAPLEN, at, captured);
            if (start + captured > end)
                return stop(w, FWK_OVERRUN, at, captured);
            uint64_t options = start + captured + (-captured & 3u);
            int direction = 0;
            if (options < end && kind != 3) {
                direction = direction_of(data, options, end, w->big);
                if (direction < 0)
                    return stop(w, FWK_OPTION, at, 0);
            }
            if (w->frames == room)
                return stop(w, FWK_FULL, at, 0);
            const fwk_interface *i = &w->interfaces[number];
            fwk_frame *f = &frames[w->frames++];
            f->offset = (uint32_t)start;
            f->captured = captured;
            f->wire = wire;
            f->link = i->link;
            f->in = w->in;
            f->out = w->out;
            f->recorded = 0;
            f->spare = 0;
            f->ticks = kind == 3 ? 0 : (uint64_t)word(b + 12, w->big) << 32 | word(b + 16, w->big);
            f->clock = kind == 3 ? FWK_TIMELESS : i->clock;
            f->unused = 0;
            if (fwk_is_log(i->link)) {
                if (!read_log(w, data, f)) {
                    w->frames--;
                    return stop(w, FWK_NAMED, at, 0);
                }
            } else if (i->name) {
                int went_out = direction == 2 || (direction == 0 && outgoing(data + start, captured, i->link));
                note_use(w, i->name, went_out, f);
                if (went_out && !w->state_out)
                    f->out = i->out;
                if (!went_out && !w->state_in)
                    f->in = i->in;
            }
        }
        at += total;
    }
    return stop(w, FWK_MORE, at, 0);
}

int fwk_walk(fwk_walker *w, const uint8_t *data, size_t size, size_t at, fwk_frame *frames, uint32_t room)
{
    if (w->pcapng)
        return walk_pcapng(w, data, size, at, frames, room);
    return w->big ? walk_pcap(w, data, size, at, frames, room, 1) : walk_pcap(w, data, size, at, frames, room, 0);
}

int fwk_describe(fwk_walker *w, uint16_t in, uint16_t out, uint32_t name)
{
    if (w->count == w->room) {
        uint32_t room = w->room ? w->room * 2 : 8;
        fwk_interface *grown = realloc(w->interfaces, room * sizeof *grown);
        if (!grown)
            return 0;
        w->interfaces = grown;
        w->room = room;
    }
    w->described.in = in;
    w->described.out = out;
    w->described.name = name;
    w->interfaces[w->count++] = w->described;
    return 1;
}

void fwk_name(fwk_walker *w, uint16_t in, uint16_t out, uint32_t name)
{
    if (!w->naming.length)
        return;
    w->naming.in = in;
    w->naming.out = out;
    w->naming.name = name;
    w->named[hash_of(w->naming.text, w->naming.length)] = w->naming;
}
