/* From a frame's first byte to its IP header. The rules are those of packets/links.py, where the sources are named. */
#include "links.h"

#define MAX_TAGS 16
#define IPV4_TYPE 0x0800u
#define IPV6_TYPE 0x86DDu
#define PPPOE_TYPE 0x8864u
#define MPLS_TYPE 0x8847u

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

/* See links.h. */
int fwk_locate(const frame *f, uint32_t link, uint64_t *at, int *version)
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
