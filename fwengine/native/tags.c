/* From an ethertype to the IP header. The rules are those of packets/tags.py, where the sources are named. */
#include "links.h"

#define MAX_TAGS 16
#define IPV4_TYPE 0x0800u
#define IPV6_TYPE 0x86DDu
#define MPLS_TYPE 0x8847u
#define NSH_TYPE 0x894Fu
#define MAC 14u

int fwk_ethernet(frame *f, uint64_t *at, uint32_t *ethertype)
{
    *at += MAC;
    if (*at > f->size)
        return missing(f, *at);
    *ethertype = half(f->data + *at - 2);
    return -1;
}

static int ppp(frame *f, uint64_t *at, uint32_t *ethertype)
{
    uint32_t protocol;
    if (*at < f->size && f->data[*at] & 1) {
        protocol = f->data[*at];
        *at += 1;
    } else {
        if (*at + 2 > f->size)
            return missing(f, *at + 2);
        protocol = half(f->data + *at);
        *at += 2;
    }
    switch (protocol) {
    case 0x0021: *ethertype = IPV4_TYPE; return -1;
    case 0x0057: *ethertype = IPV6_TYPE; return -1;
    case 0x0281: *ethertype = MPLS_TYPE; return -1;
    case 0x0283: *ethertype = MPLS_TYPE + 1; return -1;
    default: return not_ip(f, FWK_OF_PPP, protocol);
    }
}

int fwk_framed_ppp(frame *f, uint64_t *at, uint32_t *ethertype)
{
    if (*at < f->size && f->data[*at] == 0xFF) /* address and control, unless compressed away */
        *at += 2;
    return ppp(f, at, ethertype);
}

/* `pad` bytes stand before a bridged Ethernet frame: two in RFC 2684, none in RFC 2427. */
static int snap(frame *f, uint64_t *at, uint32_t *ethertype, uint32_t pad)
{
    *at += 5;
    if (*at > f->size)
        return missing(f, *at);
    const uint8_t *d = f->data + *at - 5;
    uint32_t organisation = (uint32_t)d[0] << 16 | half(d + 1), number = half(d + 3);
    if (organisation == 0 || organisation == 0xF8) {
        *ethertype = number;
        return number > 1500 ? -1 : not_ip(f, FWK_OF_ETHERTYPE, number);
    }
    if (organisation == 0x0C)
        return not_ip(f, FWK_OF_CISCO, number);
    if (organisation != 0x80C2 || (number != 1 && number != 7))
        return not_ip(f, FWK_OF_ORGANISATION, 0);
    *at += pad;
    return fwk_ethernet(f, at, ethertype);
}

int fwk_nlpid(frame *f, uint64_t *at, uint32_t *ethertype)
{
    if (*at >= f->size)
        return missing(f, *at + 1);
    uint32_t number = f->data[*at];
    *at += 1;
    switch (number) {
    case 0xCC: *ethertype = IPV4_TYPE; return -1;
    case 0x8E: *ethertype = IPV6_TYPE; return -1;
    case 0x80: return snap(f, at, ethertype, 0);
    case 0xCF: return ppp(f, at, ethertype);
    default: return not_ip(f, FWK_OF_NLPID, number);
    }
}

int fwk_llc(frame *f, uint64_t *at, uint32_t *ethertype)
{
    if (*at + 3 > f->size)
        return missing(f, *at + 3);
    const uint8_t *d = f->data + *at;
    *at += 3;
    if (d[2] == 0x03) {
        if (d[0] == 0x06 && d[1] == 0x06) {
            *ethertype = IPV4_TYPE;
            return -1;
        }
        if (d[0] == 0xFE && d[1] == 0xFE)
            return fwk_nlpid(f, at, ethertype);
        if (d[0] == 0xAA && d[1] == 0xAA)
            return snap(f, at, ethertype, 2);
    }
    return not_ip(f, FWK_OF_LLC, half(d));
}

/* MPLS: of the label at `at`, and of what follows the bottom of the stack, where no field says what it is. */
static int label(frame *f, uint64_t *at, uint32_t *ethertype)
{
    const uint8_t *d = f->data;
    *at += 4;
    if (*at > f->size)
        return missing(f, *at);
    if (!(d[*at - 2] & 1))
        return -1;
    if (*at == f->size)
        return missing(f, *at + 1);
    uint32_t nibble = d[*at] >> 4;
    if (nibble == 4 || nibble == 6) {
        *ethertype = nibble == 4 ? IPV4_TYPE : IPV6_TYPE;
        return -1;
    }
    if (nibble)
        return not_ip(f, FWK_OF_LABELS, nibble);
    if (*at + 2 > f->size) /* a control word, whose first half is zero for Ethernet */
        return missing(f, *at + 2);
    if (d[*at] || d[*at + 1])
        return not_ip(f, FWK_OF_LABELS, 0);
    *at += 4;
    return fwk_ethernet(f, at, ethertype);
}

static int pppoe(frame *f, uint64_t *at, uint32_t *ethertype)
{
    *at += 6;
    if (*at > f->size)
        return missing(f, *at);
    if (f->data[*at - 5]) /* a code other than 0 is no session data */
        return not_ip(f, FWK_OF_SESSION, f->data[*at - 5]);
    return ppp(f, at, ethertype);
}

static int macsec(frame *f, uint64_t *at, uint32_t *ethertype)
{
    if (*at + 6 > f->size)
        return missing(f, *at + 6);
    uint32_t control = f->data[*at];
    if (control & 0x0C)
        return not_ip(f, FWK_OF_ENCRYPTED, 0);
    *at += control & 0x20 ? 16 : 8; /* with or without the channel's name */
    if (*at > f->size)
        return missing(f, *at);
    *ethertype = half(f->data + *at - 2);
    return -1;
}

static int service(frame *f, uint64_t *at, uint32_t *ethertype)
{
    if (*at + 4 > f->size)
        return missing(f, *at + 4);
    uint32_t size = (f->data[*at + 1] & 0x3Fu) * 4, following = f->data[*at + 3];
    if (size < 8)
        return FWK_MALFORMED;
    *at += size;
    if (following == 3)
        return fwk_ethernet(f, at, ethertype);
    if (*at > f->size)
        return missing(f, *at);
    switch (following) {
    case 1: *ethertype = IPV4_TYPE; return -1;
    case 2: *ethertype = IPV6_TYPE; return -1;
    case 4: *ethertype = NSH_TYPE; return -1;
    case 5: *ethertype = MPLS_TYPE; return -1;
    default: return not_ip(f, FWK_OF_SERVICE, following);
    }
}

static int trill(frame *f, uint64_t *at, uint32_t *ethertype)
{
    if (*at + 6 > f->size)
        return missing(f, *at + 6);
    uint32_t options = (f->data[*at] & 7u) << 2 | f->data[*at + 1] >> 6;
    *at += 6 + 4 * options;
    return fwk_ethernet(f, at, ethertype);
}

static int metadata(frame *f, uint64_t *at, uint32_t *ethertype)
{
    if (*at + 8 > f->size)
        return missing(f, *at + 8);
    if (f->data[*at] != 1 || f->data[*at + 1] != 1) /* of more than one option the length is not known */
        return not_ip(f, FWK_OF_ETHERTYPE, *ethertype);
    *at += 8;
    *ethertype = half(f->data + *at - 2);
    return -1;
}

static int arista(frame *f, uint64_t *at, uint32_t *ethertype)
{
    if (*at + 4 > f->size)
        return missing(f, *at + 4);
    const uint8_t *d = f->data + *at;
    if (half(d) != 1 || (d[3] >> 4 != 1 && d[3] >> 4 != 2)) /* no timestamp */
        return not_ip(f, FWK_OF_ETHERTYPE, *ethertype);
    *at += d[3] >> 4 == 1 ? 14 : 12;
    if (*at > f->size)
        return missing(f, *at);
    *ethertype = half(f->data + *at - 2);
    return -1;
}

/* Bytes of a tag up to and with the next ethertype; 0 for what is none. */
static uint32_t tag_size(uint32_t ethertype)
{
    switch (ethertype) {
    case 0x8100:
    case 0x88A8:
    case 0x9100:
    case 0x9200:
    case 0x9300: return 4;
    case 0x893F:
    case 0xDADA: return 8;
    case 0x8926:
    case 0x892F:
    case 0xF1C1: return 6;
    case 0x88E7: return 4 + MAC;
    case 0x8903: return 2 + MAC;
    case 0x6558: return MAC;
    default: return 0;
    }
}

static int step(frame *f, uint64_t *at, uint32_t *ethertype)
{
    switch (*ethertype) {
    case MPLS_TYPE:
    case MPLS_TYPE + 1: return label(f, at, ethertype);
    case 0x8864: return pppoe(f, at, ethertype);
    case 0x880B: return fwk_framed_ppp(f, at, ethertype);
    case 0x8870: return fwk_llc(f, at, ethertype);
    case 0x88E5: return macsec(f, at, ethertype);
    case NSH_TYPE: return service(f, at, ethertype);
    case 0x22F3: return trill(f, at, ethertype);
    case 0x8909: return metadata(f, at, ethertype);
    case 0xD28B: return arista(f, at, ethertype);
    default: return *ethertype <= 1500 ? fwk_llc(f, at, ethertype) : not_ip(f, FWK_OF_ETHERTYPE, *ethertype);
    }
}

int fwk_follow(frame *f, uint32_t ethertype, uint64_t *at, int *version)
{
    int tags = 0;
    while (ethertype != IPV4_TYPE && ethertype != IPV6_TYPE) {
        if (++tags > MAX_TAGS)
            return FWK_MALFORMED;
        uint32_t size = tag_size(ethertype);
        if (size) {
            *at += size;
            if (*at > f->size)
                return missing(f, *at);
            ethertype = half(f->data + *at - 2);
        } else {
            int class = step(f, at, &ethertype);
            if (class >= 0)
                return class;
        }
    }
    *version = ethertype == IPV4_TYPE ? 4 : 6;
    return -1;
}
