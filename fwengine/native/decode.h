/* Capture bytes -> records -> header fields. Reads hostile bytes: every length is checked before it is used, sums are
 * taken in 64 bits, nothing is allocated. The meaning is fwengine/packets' (wire, links, pcap, pcapng), packet by packet.
 */
#ifndef FWK_DECODE_H
#define FWK_DECODE_H

#include <stddef.h>
#include <stdint.h>

#define FWK_MAX_CAPTURED 262144u
#define FWK_MAX_BLOCK (16u << 20)
#define FWK_MAX_INTERFACES 65536u
#define FWK_MAX_LENGTH 65575u /* the most that a header can say: 40 + 65535 */

enum { FWK_IPV4, FWK_IPV6, FWK_NOT_IP, FWK_MALFORMED, FWK_TRUNCATED, FWK_TINY_FRAGMENT };

/* A packet's fields; those it does not have are 0. Addresses point into the frame, in network order. Of a frame without
 * IP, `what` is its kind (links.h). Of a truncated packet of which nothing is missing but tcp's flags, `open` is the family,
 * and all else is filled in. */
typedef struct {
    const uint8_t *src, *dst;
    uint16_t sport, dport;
    uint32_t length; /* of the IP packet, FWK_MAX_LENGTH if that or more */
    uint8_t protocol, fragment, type, code, flags, open, dscp, ttl;
    uint32_t what;
} fwk_packet;

/* One of the classes; fills in the packet if it is IP. `wire` is the frame's length on the wire. */
int fwk_decode(const uint8_t *data, uint32_t size, uint32_t wire, uint32_t link, fwk_packet *);

enum { FWK_PASSED = 1, FWK_BLOCKED };

/* A record, as a place in a buffer. */
typedef struct {
    uint32_t offset, captured, wire;
    uint16_t link, in, out;
    uint16_t recorded; /* what the recording firewall did: FWK_PASSED, FWK_BLOCKED, or 0 where that is not recorded */
    uint32_t spare;    /* the number of the interface's name, the top bit set if the frame went out there */
    uint64_t ticks;    /* when it was captured, by its clock */
    uint32_t clock;    /* FWK_TIMELESS, FWK_NANOSECONDS since 1970, or as whoever describes interfaces numbers them */
    uint32_t unused;
} fwk_frame;

enum { FWK_TIMELESS, FWK_NANOSECONDS };

/* Link types whose headers, not the file, tell the interfaces. */
static inline int fwk_is_log(uint32_t link) { return link == 239 || link == 117 || link == 149 || link == 258; }

typedef struct {
    uint32_t snaplen;
    uint32_t name; /* whoever describes interfaces numbers their names; 0: none */
    uint32_t clock; /* and their clocks */
    uint16_t link, in, out;
} fwk_interface;

#define FWK_NAME_BYTES 24u
#define FWK_NAMES 256u

/* What stands for an interface that frames themselves name. */
typedef struct {
    uint8_t text[FWK_NAME_BYTES];
    uint32_t name;
    uint16_t length, in, out; /* length 0: an empty place */
} fwk_named;

/* Why a walk stopped. */
enum {
    FWK_MORE,      /* `need` bytes from `at` on are needed to go on; at the end of the file nothing may be left */
    FWK_FULL,      /* no more room for frames */
    FWK_DESCRIBED, /* an interface was described: ask for it, then go on */
    FWK_CAPLEN,    /* damage: more than FWK_MAX_CAPTURED captured bytes, in `detail` */
    FWK_BLOCK,     /* damage: a block of `detail` bytes */
    FWK_TRAILER,   /* damage: the lengths at the two ends differ */
    FWK_UNKNOWN,   /* damage: a packet of interface `detail`, which is not described */
    FWK_OVERRUN,   /* damage: `detail` captured bytes do not fit into their block */
    FWK_OPTION,    /* damage: an option does not fit */
    FWK_MAGIC,     /* damage: a section without the byte-order magic */
    FWK_CROWD,     /* damage: too many interfaces */
    FWK_TIME,      /* damage: a time resolution or offset of another size than it must have */
    FWK_VERSION,   /* another version, in `detail` as major << 16 | minor */
    FWK_NAMED      /* a frame names an interface that is not known: tell it, then go on */
};

typedef struct {
    int pcapng, big; /* file format, byte order */
    /* pcap */
    uint32_t header; /* bytes of a record header */
    int swapped;     /* lengths stand the other way round: 0 never, 1 if captured > wire, 2 always */
    uint16_t link;
    uint32_t scale; /* nanoseconds that a fraction of a second counts in */
    /* pcapng */
    fwk_interface *interfaces;
    uint32_t count, room;
    uint8_t used[65536]; /* by number of the name, the last for all beyond: 1 if packets came in there, 2 if some went out */
    fwk_named named[FWK_NAMES]; /* the last of each hash */
    /* where the capture records no interface, and whether that is so for all packets, whatever it records */
    uint16_t in, out;
    int state_in, state_out;
    /* the answer to the last walk */
    size_t at, need;
    uint32_t frames, detail;
    /* the interface just described or named */
    fwk_interface described;
    size_t name;
    uint32_t name_length;
    uint8_t resolution; /* of its clock, as the file has it */
    int64_t epoch;      /* the second from which it counts */
    fwk_named naming;
} fwk_walker;

/* Records of data[at:size] into frames[0:room]; sets at, need, frames, detail. Offsets count from `data`; `size` is
 * below 4 GiB. */
int fwk_walk(fwk_walker *, const uint8_t *data, size_t size, size_t at, fwk_frame *frames, uint32_t room);

/* Takes over the interface just described; 0 if there is no memory. */
int fwk_describe(fwk_walker *, uint16_t in, uint16_t out, uint32_t name);

/* Takes over what stands for the interface just named. */
void fwk_name(fwk_walker *, uint16_t in, uint16_t out, uint32_t name);

#endif
