/* Frames -> rule indices and counts per rule. */
#ifndef FWK_TALLY_H
#define FWK_TALLY_H

#include "decode.h"
#include "classifier.h"

/* What stands for the index of a frame that is no packet. */
#define FWK_IS_NOT_IP 0xffffffffu
#define FWK_IS_MALFORMED 0xfffffffeu
#define FWK_IS_TRUNCATED 0xfffffffdu
#define FWK_IS_TINY_FRAGMENT 0xfffffffcu

/* Rows of counts behind the rules and the default: not-ip, malformed, truncated, tiny fragments, allowed by one of several
 * rules, and, counted in another row, too: decided though truncated. */
#define FWK_CLASS_ROWS 6
#define FWK_PARTIAL_ROW 5

typedef struct {
    const fwk_family *v4, *v6;
    fwk_run run4, run6;
    uint32_t state;
    uint64_t *count; /* packets and bytes of each rule, then of the default, then of FWK_CLASS_ROWS */
    uint64_t *recorded; /* rows alike: of their packets, those that the recording firewall passed and blocked; or null */
    uint32_t *kinds;    /* room for the kind of each frame without IP; or null */
    size_t kinds_used;
    /* the frames counted as truncated that somebody who has time may decide yet; allocated as needed, for the caller to free */
    uint32_t *doubtful;
    size_t doubts, room;
} fwk_tally;

/* Adds the frames' counts; their indices to `out` if it is not null. `data` must hold what the frames say. One of: */
enum { FWK_COUNT_RANGE, FWK_COUNT_DONE, FWK_COUNT_MEMORY }; /* an interface is out of range; done; no memory */
int fwk_count(fwk_tally *, const uint8_t *data, const fwk_frame *frames, size_t n, uint32_t *out);

#endif
