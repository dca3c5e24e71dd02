/* Frames and the rules that decide them -> one line of text each, from words that are given. */
#ifndef FWK_LINES_H
#define FWK_LINES_H

#include "count.h"

/* Word k is text[at[k]] to text[at[k + 1]]; none is longer than `most`. */
typedef struct {
    const uint8_t *text;
    const uint32_t *at;
    uint32_t count, most;
} fwk_words;

enum { FWK_FRAGMENT = FWK_STAGES }; /* beside the stages' fields, what an option of a packet may be about */
#define FWK_MAX_OPTIONS (FWK_STAGES + 1)

/* What a packet has, by family and protocol, later fragments aside. */
enum { FWK_HAS_PORTS = 1, FWK_HAS_TYPE = 2, FWK_HAS_FLAGS = 4 };

/* A line is: begin, the packet's number, head of the rule, the packet, tail of the rule. */
typedef struct {
    fwk_words begin;         /* one word */
    fwk_words head, tail;    /* by rule, the default behind them */
    const uint8_t *shown;    /* likewise: are there lines at all? */
    uint32_t width;          /* blanks in front of a number make it as wide */
    fwk_words protocol;      /* 256 */
    const uint8_t *has;      /* 512: IPv4, then IPv6 */
    uint32_t options;        /* in the order in which they are written */
    uint32_t field[FWK_MAX_OPTIONS];
    fwk_words option[FWK_MAX_OPTIONS];
    uint32_t state;
    uint32_t in, out;        /* numbers of the stated interfaces' names, or FWK_NONE */
} fwk_writer;

/* What stands for the index of a frame that is to be looked at, whatever it is. */
#define FWK_LOOK 0xfffffff0u

/* A frame whose line somebody else writes, to be put at a byte of the text. */
typedef struct {
    size_t at;
    uint32_t frame, index, what;
} fwk_other;

typedef struct {
    uint8_t *text;
    size_t size, room;
    fwk_other *others;
    size_t count, space;
} fwk_text;

/* Lines of frames with their indices, as fwk_count gives them; adds to `told` how many each rule has, shown or not. 0 if
 * there is no memory. Whoever calls frees what the text has. */
int fwk_lines(const fwk_writer *, const uint8_t *data, const fwk_frame *frames, size_t n, const uint32_t *indices,
              uint64_t number, uint64_t *told, fwk_text *);

#endif
