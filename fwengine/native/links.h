/* A frame, and where IP begins in it: what the link layers and the IP layer share. */
#ifndef FWK_LINKS_H
#define FWK_LINKS_H

#include "decode.h"

typedef struct {
    const uint8_t *data;
    uint64_t size, wire;
    uint32_t what; /* of a frame without IP: its kind, a number of packets/place.py */
} frame;

/* The upper halves of kinds. */
enum {
    FWK_OF_LINK, FWK_OF_ETHERTYPE, FWK_OF_LLC, FWK_OF_CISCO, FWK_OF_ORGANISATION, FWK_OF_PPP, FWK_OF_FAMILY, FWK_OF_WLAN,
    FWK_OF_ENCRYPTED, FWK_OF_LABELS, FWK_OF_SESSION, FWK_OF_NLPID, FWK_OF_SERVICE, FWK_OF_CONTROL, FWK_OF_HARDWARE,
    FWK_OF_COOKED, FWK_OF_HDLC, FWK_OF_ARCNET, FWK_OF_JUNIPER, FWK_OF_PACKED
};

static inline uint32_t half(const uint8_t *p) { return (uint32_t)p[0] << 8 | p[1]; }

static inline uint32_t little_half(const uint8_t *p) { return (uint32_t)p[1] << 8 | p[0]; }

static inline uint32_t little_word(const uint8_t *p) { return little_half(p + 2) << 16 | little_half(p); }

/* The frame is captured up to less than `need` bytes: did the wire have them, or not even the wire? */
static inline int missing(const frame *f, uint64_t need) { return need <= f->wire ? FWK_TRUNCATED : FWK_MALFORMED; }

/* A pointer to the byte at `at`, or to the end: what lies behind is not to be pointed at. */
static inline const uint8_t *here(const frame *f, uint64_t at) { return f->data + (at < f->size ? at : f->size); }

static inline int not_ip(frame *f, uint32_t kind, uint32_t number)
{
    f->what = kind << 16 | (number > 0xFFFF ? 0xFFFF : number);
    return FWK_NOT_IP;
}

/* Where the IP header begins, and the version that must stand there (0: any); -1, or the frame's class. */
int fwk_locate(frame *, uint32_t link, uint64_t *at, int *version);

/* From an ethertype (or an 802.3 length) at `at` to the IP header, in the same manner: tags.c. */
int fwk_follow(frame *, uint32_t ethertype, uint64_t *at, int *version);

/* Each reads the header at `at` and sets `at` behind it and the ethertype that follows; -1, or the frame's class. */
int fwk_ethernet(frame *, uint64_t *at, uint32_t *ethertype);
int fwk_llc(frame *, uint64_t *at, uint32_t *ethertype);
int fwk_nlpid(frame *, uint64_t *at, uint32_t *ethertype);
int fwk_framed_ppp(frame *, uint64_t *at, uint32_t *ethertype);

#endif
