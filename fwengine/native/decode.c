/* A frame's fields. The rules are those of packets/wire.py and packets/links.py, where the sources are named. */
#include "decode.h"

#define MAX_TAGS 16
#define MAX_HEADERS 256
#define IPV4_TYPE 0x0800u
#define IPV6_TYPE 0x86DDu
#define PPPOE_TYPE 0x8864u
#define MPLS_TYPE 0x8847u

typedef struct {
    const uint8_t *data;
    uint64_t size, wire;
} frame;

static inline uint32_t half(const uint8_t *p) { return (uint32_t)p[0] << 8 | p[1]; }

/* The frame is captured up to less than `need` bytes: did the wire have them, or not even the wire? */
static int missing(const frame *f, uint64_t need) { return need <= f->wire ? FWK_TRUNCATED : FWK_MALFORMED; }

/* What a PPP protocol field stands for; 0 if it is cut. */
static uint32_t ppp_ethertype(const frame *f, uint64_t *at)
{
    uint32_t protocol;
    if (*at < f->size && f->data[*at] & 1) {
        protocol = f->data[*at];
        *at += 1;
    } else {
        if (*at + 2 > f->size)
            return 0;
        protocol = half(f->data + *at);
        *at += 2;
    }
    switch (protocol) {
    case 0x0021: return IPV4_TYPE;
    case 0x0057: return IPV6_TYPE;
    case 0x0281: return MPLS_TYPE;
    case 0x0283: return MPLS_TYPE + 1;
    default: return 0xFFFF;
    }
}

/* From an ethertype (or an 802.3 length) to the IP header: sets `at` and the version that must stand there (0: any). */
static int follow(const frame *f, uint32_t ethertype, uint64_t *at, int *version)
{
    const uint8_t *d = f->data;
    uint64_t p = *at;
    int tags = 0;
    *version = 4;
    while (ethertype != IPV4_TYPE) {
        if (ethertype == IPV6_TYPE) {
            *version = 6;
            break;
        }
        if (++tags > MAX_TAGS)
            return FWK_MALFORMED;
        if (ethertype == 0x8100 || ethertype == 0x88A8 || ethertype == 0x9100) {
            p += 4;
            if (p > f->size)
                return missing(f, p);
            ethertype = half(d + p - 2);
        } else if (ethertype == MPLS_TYPE || ethertype == MPLS_TYPE + 1) {
            p += 4;
            if (p > f->size)
                return missing(f, p);
            if (d[p - 2] & 1) { /* the bottom of the stack: no field says what follows */
                if (p == f->size)
                    return missing(f, p + 1);
                *version = d[p] >> 4;
                if (*version != 4 && *version != 6)
                    return FWK_NOT_IP;
                break;
            }
        } else if (ethertype == PPPOE_TYPE) {
            p += 6;
            if (p > f->size)
                return missing(f, p);
            if (d[p - 5]) /* a code other than 0 is no session data */
                return FWK_NOT_IP;
            uint64_t begin = p;
            ethertype = ppp_ethertype(f, &p);
            if (!ethertype)
                return missing(f, begin + 2);
        } else if (ethertype <= 1500) { /* an 802.3 length: LLC follows */
            if (p + 3 > f->size)
                return missing(f, p + 3);
            if (d[p] == 0x06 && d[p + 1] == 0x06 && d[p + 2] == 0x03) {
                p += 3;
                break;
            }
            if (d[p] != 0xAA || d[p + 1] != 0xAA || d[p + 2] != 0x03)
                return FWK_NOT_IP;
            p += 8;
            if (p > f->size)
                return missing(f, p);
            ethertype = half(d + p - 2);
            if (d[p - 5] || d[p - 4] || d[p - 3] || ethertype <= 1500) /* another organisation's numbers */
                return FWK_NOT_IP;
        } else
            return FWK_NOT_IP;
    }
    *at = p;
    return -1;
}

static int hdlc(const frame *f, uint64_t *at, int *version)
{
    if (f->size < 4)
        return missing(f, 4);
    uint32_t protocol = half(f->data + 2);
    *at = 4;
    return protocol < 0x600 ? FWK_NOT_IP : follow(f, protocol, at, version);
}

static int cooked(const frame *f, uint32_t hardware, uint32_t protocol, uint64_t *at, int *version)
{
    if (hardware == 803 || hardware == 824 || (protocol < 0x600 && protocol != 4))
        return FWK_NOT_IP;
    return follow(f, protocol, at, version);
}

/* Where the IP header begins; -1, or the frame's class. */
static int locate(const frame *f, uint32_t link, uint64_t *at, int *version)
{
    const uint8_t *d = f->data;
    *at = 0;
    *version = 0;
    switch (link) {
    case 1:
        if (f->size < 14)
            return missing(f, 14);
        *at = 14;
        return follow(f, half(d + 12), at, version);
    case 12:
    case 14:
    case 101:
        return -1;
    case 228:
        *version = 4;
        return -1;
    case 229:
        *version = 6;
        return -1;
    case 0:
    case 108: {
        if (f->size < 4)
            return missing(f, 4);
        /* the byte order is the capturing host's, which the file does not tell; all families are small numbers */
        uint32_t family = d[0] || d[1] ? (uint32_t)d[0] | (uint32_t)d[1] << 8 | (uint32_t)d[2] << 16 | (uint32_t)d[3] << 24
                                       : half(d + 2);
        *at = 4;
        if (family == 2) {
            *version = 4;
            return -1;
        }
        *version = 6;
        return family == 10 || family == 24 || family == 28 || family == 30 ? -1 : FWK_NOT_IP;
    }
    case 113:
        if (f->size < 16)
            return missing(f, 16);
        *at = 16;
        return cooked(f, half(d + 2), half(d + 14), at, version);
    case 276:
        if (f->size < 20)
            return missing(f, 20);
        *at = 20;
        return cooked(f, half(d + 8), half(d), at, version);
    case 50:
        if (f->size && (d[0] == 0x0F || d[0] == 0x8F))
            return hdlc(f, at, version);
        /* fall through */
    case 9: {
        uint64_t begin = *at = f->size && d[0] == 0xFF ? 2 : 0; /* address and control, unless compressed away */
        uint32_t ethertype = ppp_ethertype(f, at);
        if (!ethertype)
            return missing(f, begin + 2);
        return follow(f, ethertype, at, version);
    }
    case 51:
        return follow(f, PPPOE_TYPE, at, version);
    case 104:
        return hdlc(f, at, version);
    default:
        return FWK_NOT_IP;
    }
}

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
    frame f = {data, size, wire < size ? size : wire};
    uint64_t at;
    int version;
    p->sport = p->dport = 0;
    p->protocol = p->fragment = p->type = p->code = p->flags = p->dscp = p->ttl = 0;
    p->length = 0;
    int class = locate(&f, link, &at, &version);
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
