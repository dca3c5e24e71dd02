/* From a frame's first byte to its IP header. The rules are those of packets/links.py, radio.py and logs.py, where the
 * sources are named. */
#include "links.h"

#define PPPOE_TYPE 0x8864u
#define LENGTH 0u /* an ethertype up to 1500 is a length, and LLC follows */

enum { WLAN_PROTECTED = 16, WLAN_FRAGMENT, WLAN_AGGREGATE, WLAN_EMPTY };

static int ethernet(frame *f, uint64_t *at, int *version)
{
    const uint8_t *d = here(f, *at);
    if (*at + 14 > f->size)
        return missing(f, *at + 14);
    uint32_t ethertype = half(d + 12);
    *at += 14;
    if (ethertype < 0x600 && (d[0] & 0xFD) == 1 && d[1] == 0 && d[2] == 0x0C && d[3] == 0 && d[4] == 0) { /* Cisco's ISL */
        *at += 12;
        int class = fwk_ethernet(f, at, &ethertype);
        if (class >= 0)
            return class;
    }
    return fwk_follow(f, ethertype, at, version);
}

/* A word in the capturing host's byte order, which the file does not tell; all families are small numbers. */
static uint32_t family_at(const uint8_t *d)
{
    return d[0] || d[1] ? little_word(d) : half(d + 2);
}

static int by_family(frame *f, uint32_t family, int *version)
{
    *version = family == 2 ? 4 : 6;
    return family == 2 || family == 10 || family == 24 || family == 28 || family == 30 ? -1
                                                                                       : not_ip(f, FWK_OF_FAMILY, family);
}

static int loopback(frame *f, uint64_t *at, int *version)
{
    if (*at + 4 > f->size)
        return missing(f, *at + 4);
    uint32_t family = family_at(f->data + *at);
    *at += 4;
    return family >= 0x600 && family <= 0xFFFF ? fwk_follow(f, family, at, version) : by_family(f, family, version);
}

static int encrypted(frame *f, uint64_t *at, int *version, int openbsd)
{
    if (*at + 4 > f->size)
        return missing(f, *at + (openbsd ? 4 : 12));
    uint32_t family = family_at(f->data + *at);
    int class = by_family(f, family, version);
    if (openbsd && class >= 0)
        return not_ip(f, FWK_OF_LINK, 13);
    *at += 12;
    return *at > f->size ? missing(f, *at) : class;
}

/* Either an ethertype, or a protocol below them. */
static int typed(frame *f, uint64_t *at, int *version)
{
    uint32_t protocol = half(f->data + *at);
    *at += 2;
    return protocol < 0x600 ? not_ip(f, FWK_OF_HDLC, protocol) : fwk_follow(f, protocol, at, version);
}

static int hdlc(frame *f, uint64_t *at, int *version)
{
    if (*at + 4 > f->size)
        return missing(f, *at + 4);
    *at += 2;
    return typed(f, at, version);
}

static int ppp(frame *f, uint64_t *at, int *version)
{
    uint32_t ethertype;
    if (*at < f->size && (f->data[*at] == 0x0F || f->data[*at] == 0x8F)) /* Cisco's HDLC */
        return hdlc(f, at, version);
    int class = fwk_framed_ppp(f, at, &ethertype);
    return class >= 0 ? class : fwk_follow(f, ethertype, at, version);
}

static int frame_relay(frame *f, uint64_t *at, int *version)
{
    const uint8_t *d = f->data;
    const uint64_t begin = *at;
    uint32_t ethertype;
    for (;;) { /* the last byte of an address is odd */
        if (*at >= f->size)
            return missing(f, *at + 1);
        if (d[(*at)++] & 1)
            break;
        if (*at - begin == 4)
            return FWK_MALFORMED;
    }
    if (*at - begin == 1)
        return FWK_MALFORMED;
    if (*at + 2 > f->size)
        return missing(f, *at + 2);
    if (d[*at] != 3)
        return typed(f, at, version);
    *at += d[*at + 1] ? 1 : 2;
    int class = fwk_nlpid(f, at, &ethertype);
    return class >= 0 ? class : fwk_follow(f, ethertype, at, version);
}

static int token_ring(frame *f, uint64_t *at, int *version)
{
    const uint8_t *d = here(f, *at);
    if (*at + 14 > f->size)
        return missing(f, *at + 14);
    if ((d[1] & 0xC0) != 0x40)
        return not_ip(f, FWK_OF_CONTROL, d[1]);
    *at += 14;
    if (d[8] & 0x80) { /* routed by the source */
        if (*at >= f->size)
            return missing(f, *at + 1);
        *at += d[14] & 0x1F;
    }
    return fwk_follow(f, LENGTH, at, version);
}

static int fddi(frame *f, uint64_t *at, int *version)
{
    uint8_t control;
    if (*at + 13 > f->size)
        return missing(f, *at + 13);
    control = f->data[*at];
    if ((control & 0x70) != 0x50)
        return not_ip(f, FWK_OF_CONTROL, control);
    *at += 13;
    return fwk_follow(f, LENGTH, at, version);
}

static int atm(frame *f, uint64_t *at, int *version)
{
    uint32_t ethertype;
    int class = fwk_llc(f, at, &ethertype);
    return class >= 0 ? class : fwk_follow(f, ethertype, at, version);
}

/* A header of `size` bytes, with an ethertype at `type`. */
static int typed_at(frame *f, uint64_t *at, int *version, uint32_t size, uint32_t type)
{
    const uint8_t *d = here(f, *at);
    *at += size;
    return *at > f->size ? missing(f, *at) : fwk_follow(f, half(d + type), at, version);
}

static int ipnet(frame *f, uint64_t *at, int *version)
{
    if (*at + 24 > f->size)
        return missing(f, *at + 24);
    uint32_t family = f->data[*at + 1];
    *at += 24;
    *version = family == 2 ? 4 : 6;
    return family == 2 || family == 26 ? -1 : not_ip(f, FWK_OF_FAMILY, family);
}

static int arcnet_type(frame *f, uint32_t type, int *version)
{
    *version = type == 196 ? 6 : 4;
    return type == 196 || type == 212 || type == 240 ? -1 : not_ip(f, FWK_OF_ARCNET, type);
}

static int is_old_arcnet(uint32_t type) { return type == 128 || type == 240 || type == 241; }

static int arcnet(frame *f, uint64_t *at, int *version)
{
    const uint8_t *d = here(f, *at);
    if (*at + 3 > f->size)
        return missing(f, *at + 3);
    uint32_t type = d[2];
    if (is_old_arcnet(type)) {
        *at += 3;
        return arcnet_type(f, type, version);
    }
    if (*at + 4 > f->size)
        return missing(f, *at + 4);
    *at += d[3] == 0xFF ? 10 : 6;
    if (*at > f->size)
        return missing(f, *at);
    uint32_t split = f->data[*at - 3];
    if (split && !(split & 1)) /* a later fragment */
        return not_ip(f, FWK_OF_PACKED, 0);
    return arcnet_type(f, type, version);
}

static int arcnet_linux(frame *f, uint64_t *at, int *version)
{
    if (*at + 5 > f->size)
        return missing(f, *at + 5);
    uint32_t type = f->data[*at + 4];
    *at += is_old_arcnet(type) ? 5 : 8;
    return arcnet_type(f, type, version);
}

static int juniper(frame *f, uint64_t *at, int *version)
{
    const uint8_t *d = here(f, *at);
    if (*at + 4 > f->size)
        return missing(f, *at + 4);
    if (d[0] != 'M' || d[1] != 'G' || d[2] != 'C')
        return FWK_MALFORMED;
    *at += 4;
    if (d[3] & 0x80) { /* extensions */
        if (*at + 2 > f->size)
            return missing(f, *at + 2);
        *at += 2 + half(d + 4);
    }
    return d[3] & 2 ? not_ip(f, FWK_OF_JUNIPER, 0) : ethernet(f, at, version);
}

/* --- 802.11 ----------------------------------------------------------------------------------------------------- */

static int wlan(frame *f, uint64_t *at, int *version, int padded)
{
    const uint8_t *d = here(f, *at);
    if (*at + 2 > f->size)
        return missing(f, *at + 2);
    uint32_t control = d[0], flags = d[1], kind = control >> 2 & 3;
    if (control & 3)
        return FWK_MALFORMED;
    if (kind != 2)
        return not_ip(f, FWK_OF_WLAN, kind);
    if (control & 0x40)
        return not_ip(f, FWK_OF_WLAN, WLAN_EMPTY);
    if (flags & 0x40)
        return not_ip(f, FWK_OF_WLAN, WLAN_PROTECTED);
    uint32_t length = (flags & 3) == 3 ? 30 : 24;
    if (*at + length > f->size)
        return missing(f, *at + length);
    if (d[22] & 15)
        return not_ip(f, FWK_OF_WLAN, WLAN_FRAGMENT);
    if (control & 0x80) { /* quality of service */
        if (*at + length + 2 > f->size)
            return missing(f, *at + length + 2);
        if (d[length] & 0x80)
            return not_ip(f, FWK_OF_WLAN, WLAN_AGGREGATE);
        length += flags & 0x80 ? 6 : 2;
    }
    if (padded)
        length = (length + 3) & ~3u;
    *at += length;
    return fwk_follow(f, LENGTH, at, version);
}

static int radiotap(frame *f, uint64_t *at, int *version)
{
    const uint8_t *d = here(f, *at);
    if (*at + 8 > f->size)
        return missing(f, *at + 8);
    uint32_t length = little_half(d + 2), fields = 8;
    if (length < 8)
        return FWK_MALFORMED;
    if (*at + length > f->size)
        return missing(f, *at + length);
    while (d[fields - 1] & 0x80) { /* another word of what fields there are */
        fields += 4;
        if (fields > length)
            return FWK_MALFORMED;
    }
    int padded = 0;
    if (d[4] & 2) {
        if (d[4] & 1)
            fields = ((fields + 7) & ~7u) + 8;
        padded = fields < length && d[fields] & 0x20;
    }
    *at += length;
    return wlan(f, at, version, padded);
}

/* Linux' cooked header, behind which some hardware's own frames stand. */
static int cooked(frame *f, uint32_t hardware, uint32_t protocol, uint64_t *at, int *version)
{
    if (hardware == 803)
        return radiotap(f, at, version);
    if (hardware == 770)
        return frame_relay(f, at, version);
    if (hardware == 824)
        return not_ip(f, FWK_OF_HARDWARE, hardware);
    if (protocol < 0x600 && protocol != 4)
        return not_ip(f, FWK_OF_COOKED, protocol);
    return fwk_follow(f, protocol, at, version);
}

static int avs(frame *f, uint64_t *at, int *version)
{
    const uint8_t *d = here(f, *at);
    if (*at + 8 > f->size)
        return missing(f, *at + 8);
    uint32_t length = half(d + 4) << 16 | half(d + 6);
    if (length < 8)
        return FWK_MALFORMED;
    *at += length;
    return wlan(f, at, version, 0);
}

static int prism(frame *f, uint64_t *at, int *version)
{
    const uint8_t *d = here(f, *at);
    if (*at + 8 > f->size)
        return missing(f, *at + 8);
    uint32_t cookie = half(d) << 16 | half(d + 2);
    if (cookie == 0x80211001u || cookie == 0x80211002u)
        return avs(f, at, version);
    *at += 144;
    return wlan(f, at, version, 0);
}

/* --- what firewalls record -------------------------------------------------------------------------------------- */

static int pflog(frame *f, uint64_t *at, int *version)
{
    const uint8_t *d = here(f, *at);
    if (*at + 4 > f->size)
        return missing(f, *at + 4);
    if (d[0] < 61)
        return FWK_MALFORMED;
    *at += (d[0] + 3u) & ~3u;
    return by_family(f, d[1], version);
}

static int nflog(frame *f, uint64_t *at, int *version)
{
    const uint8_t *d = f->data;
    uint32_t family, protocol = 0;
    int order = 0; /* 1 little, 2 big */
    if (*at + 4 > f->size)
        return missing(f, *at + 4);
    family = d[*at];
    *at += 4;
    while (*at + 4 <= f->size) {
        const uint8_t *a = d + *at;
        if (!order)
            order = a[2] ? 1 : 2; /* types are small numbers */
        uint32_t length = order == 1 ? little_half(a) : half(a), type = (order == 1 ? little_half(a + 2) : half(a + 2)) & 0x7FFF;
        if (length < 4)
            return FWK_MALFORMED;
        if (type == 9) {
            *at += 4;
            if ((family == 5 || family == 7) && protocol) /* netdev and bridge: an ethertype tells what the payload is */
                return fwk_follow(f, protocol, at, version);
            *version = family == 2 ? 4 : 6;
            return family == 2 || family == 10 ? -1 : not_ip(f, FWK_OF_FAMILY, family);
        }
        if (*at + length > f->size)
            return missing(f, *at + length);
        if (type == 1 && length >= 6)
            protocol = half(a + 4);
        *at += length + (-length & 3u);
    }
    if (*at < f->size || *at + 4 <= f->wire) /* there is, or was, another one */
        return missing(f, *at + 4);
    return not_ip(f, FWK_OF_PACKED, 0);
}

static int dispatch(frame *f, uint32_t link, uint64_t *at, int *version);

/* A frame of another link type within a record, which is no such record again. */
static int inside(frame *f, uint32_t link, uint64_t *at, int *version)
{
    if (link > 0xFFFF || link == 192 || link == 149 || link == 258)
        return not_ip(f, FWK_OF_LINK, link);
    return dispatch(f, link, at, version);
}

static int ppi(frame *f, uint64_t *at, int *version)
{
    const uint8_t *d = here(f, *at);
    if (*at + 8 > f->size)
        return missing(f, *at + 8);
    if (little_half(d + 2) < 8)
        return FWK_MALFORMED;
    *at += little_half(d + 2);
    return inside(f, little_word(d + 4), at, version);
}

static int pktap(frame *f, uint64_t *at, int *version)
{
    const uint8_t *d = here(f, *at);
    if (*at + 12 > f->size)
        return missing(f, *at + 12);
    if (little_word(d) < 12)
        return FWK_MALFORMED;
    if (little_word(d + 4) != 1)
        return not_ip(f, FWK_OF_PACKED, 0);
    *at += little_word(d);
    return inside(f, little_word(d + 8), at, version);
}

static int dispatch(frame *f, uint32_t link, uint64_t *at, int *version)
{
    const uint8_t *d = here(f, *at);
    switch (link) {
    case 1: return ethernet(f, at, version);
    case 12: return *at >= f->size || d[0] ? -1 : loopback(f, at, version); /* OpenBSD's files have that under this number */
    case 0:
    case 108: return loopback(f, at, version);
    case 8: *at += 16; return -1;
    case 14:
    case 101: return -1;
    case 228: *version = 4; return -1;
    case 229: *version = 6; return -1;
    case 109: return encrypted(f, at, version, 0);
    case 13: return encrypted(f, at, version, 1);
    case 113:
        if (*at + 16 > f->size)
            return missing(f, *at + 16);
        *at += 16;
        return cooked(f, half(d + 2), half(d + 14), at, version);
    case 276:
        if (*at + 20 > f->size)
            return missing(f, *at + 20);
        *at += 20;
        return cooked(f, half(d + 8), half(d), at, version);
    case 204: *at += 1; return ppp(f, at, version);
    case 9:
    case 50: return ppp(f, at, version);
    case 51: return fwk_follow(f, PPPOE_TYPE, at, version);
    case 205: *at += 1; return hdlc(f, at, version);
    case 104: return hdlc(f, at, version);
    case 206: *at += 1; return frame_relay(f, at, version);
    case 107: return frame_relay(f, at, version);
    case 6: return token_ring(f, at, version);
    case 7: return arcnet(f, at, version);
    case 10: return fddi(f, at, version);
    case 19:
    case 106: return *at < f->size && d[0] == 0xAA ? atm(f, at, version) : -1;
    case 100: return atm(f, at, version);
    case 105: return wlan(f, at, version, 0);
    case 117: return pflog(f, at, version);
    case 119: return prism(f, at, version);
    case 127: return radiotap(f, at, version);
    case 129: return arcnet_linux(f, at, version);
    case 138: return typed_at(f, at, version, 18, 16);
    case 149:
    case 258: return pktap(f, at, version);
    case 163: return avs(f, at, version);
    case 178: return juniper(f, at, version);
    case 192: return ppi(f, at, version);
    case 226: return ipnet(f, at, version);
    case 239: return nflog(f, at, version);
    case 281:
    case 284: return typed_at(f, at, version, 18, 16);
    case 282: *at += 4; return ethernet(f, at, version);
    case 285: return typed_at(f, at, version, 22, 20);
    case 242: return typed_at(f, at, version, 44, 40);
    default: return not_ip(f, FWK_OF_LINK, link);
    }
}

int fwk_locate(frame *f, uint32_t link, uint64_t *at, int *version)
{
    *at = 0;
    *version = 0;
    return dispatch(f, link, at, version);
}
