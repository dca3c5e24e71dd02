/* A frame's fields. The rules are those of packets/wire.py, where the sources are named. */
#include "links.h"

#define MAX_HEADERS 256

/* The transport header at `at`, of a packet that ends at `end`. */
static int transport(const frame *f, uint32_t icmp, uint64_t at, uint64_t end, fwk_packet *p)
{
    const uint8_t *d = f->data + at;
    uint64_t least, need;
    if (p->protocol == icmp) {
        if (at + 4 > end)
            return FWK_MALFORMED;
        if (at + 2 > f->size)
            return FWK_TRUNCATED;
        p->type = d[0];
        p->code = d[1];
        return FWK_IPV4;
    }
    switch (p->protocol) {
    case 6: least = 20, need = 14; break;
    case 17:
    case 136: least = 8, need = 4; break;
    case 33:
    case 132: least = 12, need = 4; break;
    default: return FWK_IPV4;
    }
    if (at + least > end)
        return FWK_MALFORMED;
    if (at + need > f->size)
        return FWK_TRUNCATED;
    if (p->protocol == 6) {
        uint32_t length = d[12] >> 4 << 2;
        if (length < 20 || at + length > end)
            return FWK_MALFORMED;
        p->flags = d[13];
    }
    p->sport = (uint16_t)half(d);
    p->dport = (uint16_t)half(d + 2);
    return FWK_IPV4;
}

static uint32_t length_of(uint64_t from, uint64_t end)
{
    return end - from < FWK_MAX_LENGTH ? (uint32_t)(end - from) : FWK_MAX_LENGTH;
}

static int ipv4(const frame *f, uint64_t at, fwk_packet *p)
{
    const uint8_t *d = f->data + at;
    if (at + 20 > f->size)
        return missing(f, at + 20);
    uint32_t header = (d[0] & 15u) * 4, total = half(d + 2), fragment = half(d + 6);
    if (header < 20)
        return FWK_MALFORMED;
    uint64_t end = total >= header ? at + total : f->wire;
    p->length = length_of(at, end);
    p->dscp = d[1] >> 2;
    p->ttl = d[8];
    p->protocol = d[9];
    p->src = d + 12;
    p->dst = d + 16;
    at += header;
    if (at > end)
        return FWK_MALFORMED;
    if (at > f->size)
        return FWK_TRUNCATED;
    if (fragment & 0x1FFF) {
        p->fragment = 2;
        return FWK_IPV4;
    }
    p->fragment = fragment >> 13 & 1;
    return transport(f, 1, at, end, p);
}

static int ipv6(const frame *f, uint64_t at, fwk_packet *p)
{
    const uint8_t *d = f->data;
    if (at + 40 > f->size)
        return missing(f, at + 40);
    uint32_t payload = half(d + at + 4), protocol = d[at + 6], headers = 0;
    p->src = d + at + 8;
    p->dst = d + at + 24;
    if (!payload && protocol == 58) /* never offloaded, and Ethernet's padding would pass for a message */
        return FWK_MALFORMED;
    p->dscp = half(d + at) >> 6 & 63;
    p->ttl = d[at + 7];
    at += 40;
    uint64_t end = payload ? at + payload : f->wire;
    p->length = length_of(at - 40, end);
    while (protocol == 0 || protocol == 43 || protocol == 44 || protocol == 51 || protocol == 60 || protocol == 135 ||
           protocol == 139 || protocol == 140) {
        if (++headers > MAX_HEADERS || at + 8 > end)
            return FWK_MALFORMED;
        if (at + 8 > f->size)
            return FWK_TRUNCATED;
        if (protocol == 44) {
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
            uint32_t length = d[at + 1] * (protocol == 51 ? 4u : 8u) + 8;
            protocol = d[at];
            at += length;
        }
    }
    if (at > end)
        return FWK_MALFORMED;
    if (at > f->size)
        return FWK_TRUNCATED;
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
    p->protocol = p->fragment = p->type = p->code = p->flags = p->dscp = p->ttl = 0;
    p->length = 0;
    int class = fwk_locate(&f, link, &at, &version);
    p->what = f.what;
    if (class >= 0)
        return class;
    if (at >= f.size)
        return missing(&f, at + 20);
    int found = data[at] >> 4;
    if (found == 4 && version != 6)
        return ipv4(&f, at, p);
    if (found == 6 && version != 4)
        return ipv6(&f, at, p);
    return FWK_MALFORMED;
}
