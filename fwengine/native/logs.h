/* Flow logs natively: rows of text to columns, and columns of answers to groups that are counted. Knows no Python. */
#ifndef FWK_LOGS_H
#define FWK_LOGS_H

#include "kinds.h"

#include <stddef.h>
#include <stdint.h>

#define FWK_GROUP_KEYS 16 /* answers that one group may be told apart by; more are grouped in Python */

typedef struct {
    uint64_t flows, bytes, packets;
    uint64_t more_bytes, more_packets; /* how often they went beyond 64 bits */
    int64_t first, last;
} fwk_group;

typedef struct {
    uint32_t hash, group; /* counted from 1; 0 is free */
} fwk_slot;

typedef struct {
    fwk_group *groups;
    uint32_t *keys; /* of each group the answers, then what is recorded */
    fwk_slot *slots;
    uint32_t width; /* numbers in a key */
    size_t count, room, mask;
} fwk_groups;

typedef struct {
    const uint32_t *answers[FWK_GROUP_KEYS];
    uint32_t keys;
    const uint8_t *recorded;          /* or NULL */
    const void *bytes, *packets;      /* or NULL */
    int bytes_size, packets_size;     /* of an item: 4 or 8 */
    const int64_t *first, *last;      /* or NULL */
} fwk_told;

/* Adds rows to groups; 0 if there is no memory. */
int fwk_group_rows(fwk_groups *groups, const fwk_told *told, size_t begin, size_t end);

/* What is told of the rows behind the first `at`; the answers stay where they are. */
fwk_told fwk_told_from(const fwk_told *told, size_t at);
int fwk_groups_begin(fwk_groups *groups, uint32_t keys);
void fwk_groups_free(fwk_groups *groups);

/* Where each thing stands in a row; -1 if nowhere. */
enum { FWK_AT_SRC, FWK_AT_DST, FWK_AT_SPORT, FWK_AT_DPORT, FWK_AT_PROTOCOL, FWK_AT_FLAGS, FWK_AT_ACTION, FWK_AT_STATUS, FWK_AT_BYTES, FWK_AT_PACKETS,
       FWK_AT_START, FWK_AT_END, FWK_AT_ROLES };

#define FWK_MOST_FIELDS 64
#define FWK_EARLIEST (-((int64_t)1 << 62))
#define FWK_LATEST ((int64_t)1 << 62)

typedef struct {
    int at[FWK_AT_ROLES];
    int last;  /* the last place that is looked at */
    int width; /* of a row; -1 if it may be longer than that */
    char separator;
    fwk_sorting sorting;
} fwk_layout;

typedef struct {
    uint32_t four[2];
    uint8_t six[2][16];
    uint16_t port[2];
    uint8_t protocol, recorded;
    uint64_t bytes, packets;
    int64_t first, last;
} fwk_flow_row;

/* Columns of flows of one kind; none of them is there if `protocol` is null. */
typedef struct {
    uint8_t *protocol, *recorded;
    uint32_t *src, *dst;
    uint8_t *src6, *dst6;
    uint16_t *sport, *dport;
    uint64_t *bytes, *packets;
    int64_t *first, *last;
    size_t rows;
} fwk_flow_rows;

typedef struct {
    size_t line, begin, end;
} fwk_odd;

typedef struct {
    size_t bytes, lines, others, left_out; /* what was read; of the lines, what somebody else must read, and what is of another time */
} fwk_read;

/* Reads whole lines of data, up to `most` of them: those that are plain go to the columns of their kind (of FWK_TURNED kinds, those
 * turned round), those of other times are counted, all others are told. The kind for which there are no columns, in front of
 * whose row it stopped; -1 if there are all that are needed. */
int fwk_rows(const char *data, size_t size, const fwk_layout *layout, fwk_flow_rows out[FWK_TURNED], size_t most, fwk_odd *others,
             fwk_read *read);

#endif
