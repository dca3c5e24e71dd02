/* A frame, and where IP begins in it: what the link layers and the IP layer share. */
#ifndef FWK_LINKS_H
#define FWK_LINKS_H

#include "decode.h"

typedef struct {
    const uint8_t *data;
    uint64_t size, wire;
} frame;

static inline uint32_t half(const uint8_t *p) { return (uint32_t)p[0] << 8 | p[1]; }

/* The frame is captured up to less than `need` bytes: did the wire have them, or not even the wire? */
static inline int missing(const frame *f, uint64_t need) { return need <= f->wire ? FWK_TRUNCATED : FWK_MALFORMED; }

/* Where the IP header begins, and the version that must stand there (0: any); -1, or the frame's class. */
int fwk_locate(const frame *, uint32_t link, uint64_t *at, int *version);

#endif
