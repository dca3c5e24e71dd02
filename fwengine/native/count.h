/* Frames -> rule indices and counts per rule. */
#ifndef FWK_TALLY_H
#define FWK_TALLY_H

#include "decode.h"
#include "classifier.h"

/* What stands for the index of a frame that is no packet. */
#define FWK_IS_NOT_IP 0xffffffffu
#define FWK_IS_MALFORMED 0xfffffffeu
#define FWK_IS_TRUNCATED 0xfffffffdu

typedef struct {
    const fwk_family *v4, *v6;
    fwk_run run4, run6;
    uint32_t state;
    uint64_t *count; /* packets and bytes of each rule, then of the default, then of not-ip, malformed, truncated */
    uint64_t *recorded; /* rows alike: of their packets, those that the recording firewall passed and blocked; or null */
    uint32_t *kinds;    /* room for the kind of each frame without IP; or null */
    size_t kinds_used;
} fwk_tally;

/* Adds the frames' counts; their indices to `out` if it is not null. 0 if an interface is out of range. `data` must
 * hold what the frames say. */
int fwk_count(fwk_tally *, const uint8_t *data, const fwk_frame *frames, size_t n, uint32_t *out);

#endif
