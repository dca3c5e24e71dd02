/* A frame's fields. The rules are those of packets/wire.py, where the sources are named. */
#include "links.h"

#define MAX_HEADERS 256

/* The next headers of IPv6 that are stepped through: fields.STEPPED_THROUGH, which a test holds equal. */
static inline int is_stepped_through(uint32_t next)
{
    return next == 0 || next == 43 || next == 44 || next == 51 || next == 60;
}

/* The transport header at `at`, of a packet that ends at `end`. */
static int transport(const frame *f, uint32_t icmp, uint64_t at, uint64_t end, fwk_packet *p)
{
    const uint8_t *d = f->data;
    uint64_t least, need;
    switch (p->protocol == icmp ? 1 : p->protocol == 1 ? 0 : p->protocol) {
    case 1: least = 8, need = 2; break;
    case 6: least = 20, need = 14; break;
    case 17:
    case 136: least = 8, need = 4; break;
    case 33:
    case 132: least = 12, need = 4; break;
    default: least = need = 0;
    }
    if (at + least > end)
        return FWK_MALFORMED;
    if (p->protocol == 6 && at + 13 <= f->size) {
        uint32_t length = d[at + 12] >> 4 << 2;
        if (length < 20 || at + length > end)
            return FWK_MALFORMED;
    }
    if (p->protocol == icmp) {
        if (at + need > f->size)
            return FWK_TRUNCATED;
        p->type = d[at];
        p->code = d[at + 1];
        return FWK_IPV4;
    }
    if (!need)
        return FWK_IPV4;
    if (at + 4 > f->size)
        return FWK_TRUNCATED;
    p->sport = (uint16_t)half(d + at);
    p->dport = (uint16_t)half(d + at + 2);
    if (at + need > f->size) {
        p->open = icmp == 1 ? 4 : 6;
        return FWK_TRUNCATED;
    }
    if (p->protocol == 6)
        p->flags = d[at + 13];
    return FWK_IPV4;
}

static uint32_t length_of(uint64_t from, uint64_t end)
{
    return end - from < FWK_MAX_LENGTH ? (uint32_t)(end - from) : FWK_MAX_LENGTH;
}

static int ipv4(const frame *f, uint64_t at, fwk_packet *p)
{
    const uint8_t *d = f->data + at;
    uint32_t header = (d[0] & 15u) * 4;
    if (header < 20 || at + 20 > f->wire)
        return FWK_MALFORMED;
    if (at + 20 > f->size)
        return at + 10 <= f->size && d[9] == 6 && (half(d + 6) & 0x1FFF) == 1 ? FWK_TINY_FRAGMENT : FWK_TRUNCATED;
    uint64_t total = half(d + 2);
    uint32_t fragment = half(d + 6);
    if (!total)
        total = f->wire - at;
    uint64_t end = at + total;
    if (total < header || end > f->wire)
        return FWK_MALFORMED;
    p->length = length_of(at, end);
    p->dscp = d[1] >> 2;
    p->ttl = d[8];
    p->protocol = d[9];
    p->src = d + 12;
    p->dst = d + 16;
    if (fragment & 0x1FFF) {
        if (p->protocol == 6 && (fragment & 0x1FFF) == 1)
            return FWK_TINY_FRAGMENT;
        p->fragment = 2;
        return FWK_IPV4;
    }
    p->fragment = fragment >> 13 & 1;
    return transport(f, 1, at + header, end, p);
}

/* May a packet with these hop-by-hop options pass on? Those that are not captured may. */
static int are_good(const frame *f, uint64_t at, uint64_t end)
{
    const uint8_t *d = f->data;
    if (at + 8 > end)
        return 0;
    if (at + 2 > f->size)
        return 1;
    const uint64_t stop = at + d[at + 1] * 8u + 8;
    if (stop > end)
        return 0;
    uint32_t padding = 0;
    for (at += 2; at < stop && at < f->size;) {
        const uint32_t kind = d[at];
        uint64_t length = 1;
        if (!kind)
            padding++;
        else {
            if (at + 2 > stop)
                return 0;
            if (at + 2 > f->size)
                return 1;
            length = d[at + 1] + 2u;
            if (at + length > stop)
                return 0;
            if (kind == 1) {
                padding += (uint32_t)length;
                for (uint64_t k = at + 2; k < at + length && k < f->size; k++)
                    if (d[k])
                        return 0;
            } else {
                padding = 0;
                if (kind & 0xC0 || (kind == 5 && length != 4)) /* a jumbo payload's is 0xC2 */
                    return 0;
            }
        }
        if (padding > 7)
            return 0;
        at += length;
    }
    return 1;
}

static int ipv6(const frame *f, uint64_t at, fwk_packet *p)
{
    const uint8_t *d = f->data;
    if (at + 40 > f->wire)
        return FWK_MALFORMED;
    if (at + 40 > f->size)
        return FWK_TRUNCATED;
    uint32_t protocol = d[at + 6], headers = 0;
    const uint64_t end = at + 40 + half(d + at + 4);
    p->src = d + at + 8;
    p->dst = d + at + 24;
    p->dscp = half(d + at) >> 6 & 63;
    p->ttl = d[at + 7];
    p->length = length_of(at, end);
    at += 40;
    if (end > f->wire || (!protocol && !are_good(f, at, end)))
        return FWK_MALFORMED;
    while (is_stepped_through(protocol)) {
        if (++headers > MAX_HEADERS || at + 8 > end)
            return FWK_MALFORMED;
        if (protocol == 44) {
            if (at + 4 > f->size)
                return FWK_TRUNCATED;
            uint32_t flags = half(d + at + 2);
            protocol = d[at];
            at += 8;
            if (flags & 0xFFF8) { /* in whichever of several fragment headers: what follows is no header */
                p->protocol = (uint8_t)protocol;
                p->fragment = 2;
                return FWK_IPV6;
            }
            if (flags & 1)
                p->fragment = 1;
        } else {
            if (at + 2 > f->size)
                return FWK_TRUNCATED;
            uint32_t length = d[at + 1] * (protocol == 51 ? 4u : 8u) + 8;
            protocol = d[at];
            at += length;
        }
    }
    if (at > end)
        return FWK_MALFORMED;
    p->protocol = (uint8_t)protocol;
    int found = transport(f, 58, at, end, p);
    return found == FWK_IPV4 ? FWK_IPV6 : found;
}

int fwk_decode(const uint8_t *data, uint32_t size, uint32_t wire, uint32_t link, fwk_packet *p)
{
    frame f = {data, size, wire < size ? size : wire, 0};
    uint64_t at;
    int version;
    p->sport = p->dport = 0;
    p->protocol = p->fragment = p->type = p->code = p->flags = p->open = p->dscp = p->ttl = 0;
    p->length = 0;
    int class = fwk_locate(&f, link, &at, &version);
    p->what = f.what;
    if (class >= 0)
        return class;
    if (at >= f.size)
        return at + 20 > f.wire ? FWK_MALFORMED : FWK_TRUNCATED;
    int found = data[at] >> 4;
    if (found == 4 && version != 6)
        return ipv4(&f, at, p);
    if (found == 6 && version != 4)
        return ipv6(&f, at, p);
    return FWK_MALFORMED;
}
