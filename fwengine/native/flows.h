/* Frames and the rules that decide them -> flows: who asked whom for what under which rule, how often, and when. */
#ifndef FWK_FLOWS_H
#define FWK_FLOWS_H

#include "count.h"

/* What is alike in all packets of a flow stands first, to be compared as bytes; then the sums. Ports and types that the
 * packets do not have are 0, and `has` says so. `first` and `last` are ticks of the clock. */
typedef struct {
    uint8_t src[16], dst[16];
    uint32_t rule;
    uint16_t dport;
    uint8_t protocol, type, code, six, has, spare;
    uint32_t clock;
    uint64_t packets, bytes, first, last;
} fwk_flow;

/* A packet whose frame has another clock than its flow: somebody else compares the times. */
typedef struct {
    uint32_t flow, frame;
} fwk_other_clock;

typedef struct {
    fwk_flow *flow;
    uint32_t *slot; /* 0: empty; else the number of a flow, plus one */
    uint32_t count, most, mask;
    uint64_t seed[2];        /* nobody who makes captures knows them */
    const uint8_t *has;      /* 512: what packets have, by family and protocol, later fragments aside (lines.h) */
    uint32_t rows;           /* the rules and the default */
    const uint8_t *takes;    /* by row of counts: is it told of? */
    uint64_t beyond;         /* packets of flows that came when the table was full */
    uint64_t fieldless;      /* packets without fields */
    fwk_other_clock *others; /* of the last call */
    size_t other_count, other_room;
} fwk_flows;

/* A table of at most so many flows, to be freed below; null if there is no memory. `most` is 1 to 2^24. */
fwk_flows *fwk_flows_new(uint32_t most, uint32_t rows);
void fwk_flows_free(fwk_flows *);

/* Adds frames with their indices, as fwk_count gives them. Truncated frames that nothing decided are left to whoever decides
 * them yet. 0 if there is no memory. */
int fwk_flows_add(fwk_flows *, const uint8_t *data, const fwk_frame *frames, size_t n, const uint32_t *indices);

#endif
