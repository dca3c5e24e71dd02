/* Which kind of flow a row is: who opened it, whether anything answers, of which family. What flows/flow.py says of `settled` and
 * `kind_of`, and flows/reading.py of `opened`, for rows whose ICMP types are not told. */
#ifndef FWK_KINDS_H
#define FWK_KINDS_H

#include <stddef.h>
#include <stdint.h>

enum { FWK_OPEN, FWK_BY_SRC, FWK_BY_PORT }; /* who opened a connection of which the log does not tell */
enum { FWK_ACK_ABSENT, FWK_ACK_TOLD };      /* what syn says: nothing beside ack, or that an answer has both */

/* A kind: bit 0, either side may have opened it; 1, it is ICMP; 2, nothing answers; 3, IPv6; 4, its destination opened it. */
#define FWK_EITHER 1u
#define FWK_ICMP 2u
#define FWK_SINGLE 4u
#define FWK_SIX 8u
#define FWK_TURNED 16u
#define FWK_KINDS 32u
#define FWK_LEFT_OUT 254u /* of another time */
#define FWK_ODD 255u      /* to be looked at by somebody else */

typedef struct {
    int opener, flags;
    int sport, dport; /* are they told? */
    int64_t since, until;
    const uint8_t *exists; /* by protocol: are there such packets of IPv6? */
} fwk_sorting;

static inline int fwk_ported(uint32_t protocol)
{
    return protocol == 6 || protocol == 17 || protocol == 33 || protocol == 132 || protocol == 136;
}

/* The kind of a row, or FWK_ODD. Flags are -1 where none are told; `groups` are 1 for the source, 2 for the destination. */
static inline uint32_t fwk_kind(const fwk_sorting *s, uint32_t six, uint32_t protocol, uint32_t groups, int flags, uint32_t sport,
                                uint32_t dport)
{
    const uint32_t ported = (uint32_t)fwk_ported(protocol);
    uint32_t kind = six;
    if (ported && !sport && !dport && s->sport && s->dport)
        return FWK_ODD;
    if (six && !s->exists[protocol])
        return FWK_ODD;
    if (protocol == (six ? 58u : 1u))
        kind |= FWK_ICMP;
    if (protocol == 6 && flags >= 0 && (flags & 2) && (!(flags & 16) || s->flags == FWK_ACK_TOLD))
        kind |= flags & 16 ? FWK_TURNED : 0;
    else if (groups & 2)
        ;
    else if (groups & 1)
        kind |= FWK_TURNED;
    else if (s->opener == FWK_OPEN)
        kind |= FWK_EITHER;
    else if (s->opener == FWK_BY_PORT) {
        if (!ported || !s->sport || !s->dport || sport == dport)
            kind |= FWK_EITHER;
        else if (sport < dport)
            kind |= FWK_TURNED;
    }
    if (groups & (kind & FWK_TURNED ? 1 : 2))
        kind |= FWK_SINGLE;
    return kind;
}

/* Columns of flows; those that may be missing are null. */
typedef struct {
    const uint8_t *protocol, *flags, *odd; /* `odd`: not 0 where something is wrong with the row */
    const uint32_t *src, *dst;
    const uint8_t *src6, *dst6;               /* sixteen bytes each */
    const uint8_t *src_family, *dst_family;   /* 4, 6 or 0; missing: all are of the family whose column there is */
    const uint16_t *sport, *dport;
    const int64_t *bytes, *packets, *start;   /* eight bytes each, maybe not in place */
} fwk_unsorted;

/* The kinds of rows, and how many rows there are of each, by kind. */
void fwk_sort(const fwk_sorting *, const fwk_unsorted *, size_t rows, uint8_t *kinds, size_t count[256]);

/* The items of a column whose rows are of a kind, one behind the other. */
void fwk_pick(const uint8_t *kinds, size_t rows, uint8_t kind, const uint8_t *column, size_t size, uint8_t *out);

#endif
