/* The classifier: entries (products of intervals over 32-bit words) -> a forest of cut trees over leaf blocks -> the
 * lowest rule index for each packet. Knows neither Python nor capture files.
 *
 * A packet is a row of words. IPv4 (5 words, rows of 8): src, dst, sport, dport, meta. IPv6 (11 words, rows of 16):
 * src in 4, dst in 4, sport, dport, meta, at the places that `fwk_place` tells. `meta` is the class of everything else: protocol, fragment, ICMP type and
 * code, flags, interfaces, state, and whether there are ports at all.
 *
 * Sources: HiCuts (Gupta & McKeown, Hot Interconnects 1999), EffiCuts (Vamanan et al., SIGCOMM 2010) for separating
 * wide rules, HyperSplit (Qi et al., INFOCOM 2009) for threshold cuts.
 */
#ifndef FWK_KERNEL_H
#define FWK_KERNEL_H

#include "fields.h"

#include <stddef.h>
#include <stdint.h>

#define FWK_NONE 0xffffffffu
#define FWK_BATCH 64 /* packets in lock step */
#define FWK_MAX_WORDS 11
#define FWK_PLACES 12 /* of a row, as far as it is used */
#define FWK_MAX_TREES 8
#define FWK_NODE 1u /* a reference is the byte where a line begins, plus this if it is a node and no block */
#define FWK_TOP 6   /* binary levels that the first step takes at once */
#define FWK_NO_META 0xffffu /* no packet is of this class */

/* Where a word stands in a row. Of an IPv6 address the upper half comes first: many trees ask for nothing else. */
static inline uint32_t fwk_place(uint32_t dims, uint32_t word)
{
    static const uint8_t six[11] = {0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 6};
    return dims == 5 ? word : six[word];
}

static inline uint32_t fwk_port_place(uint32_t dims) { return dims == 5 ? 2 : 4; }

/* The first of two words of the q-th part of both addresses (IPv6: of the upper halves, then of the lower ones). */
static inline uint32_t fwk_pair_place(uint32_t dims, uint32_t q) { return dims == 5 ? 0 : 2 * (q & 1) + 8 * (q >> 1); }

#if defined(__GNUC__) || defined(__clang__)
#define FWK_LIKELY(x) __builtin_expect(!!(x), 1)
#define FWK_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define FWK_PREFETCH(p) __builtin_prefetch(p)
#define FWK_ALIGN(n) __attribute__((aligned(n)))
#else
#define FWK_LIKELY(x) (x)
#define FWK_UNLIKELY(x) (x)
#define FWK_PREFETCH(p) ((void)(p))
#define FWK_ALIGN(n) __declspec(align(n))
#endif

#if (defined(__x86_64__)) && (defined(__GNUC__) || defined(__clang__))
#define FWK_X86 1
#else
#define FWK_X86 0
#endif

/* One cache line: three levels of a binary tree. Node i of the seven (0; 1 2; 3 4 5 6) goes right if the word
 * whose place its four bits of `dims` give is above thr[i]. */
typedef struct {
    uint32_t thr[7];
    uint32_t dims;
    uint32_t child[8];
} fwk_node;

/* Eight rules side by side. The address part follows as `pairs` groups of lo[16], len[16] (two words of eight each). */
typedef struct {
    uint16_t plo[32]; /* sport, dport, meta of eight rules each; the last eight always match */
    uint16_t plen[32];
    uint32_t rule[9]; /* the last is FWK_NONE, so that "no match" needs no branch */
    uint32_t special; /* is there a next block, or anything to verify? */
    uint32_t next;    /* byte where the next block of this leaf begins, or 0 */
    uint32_t verify;  /* bit i: rule i needs the exact check */
    uint32_t exact;   /* row of `verified` with the boxes to check */
    uint32_t pairs;
    uint32_t pad[2];
    uint32_t addr[]; /* lo[16], len[16] for each pair */
} fwk_block;

/* The first two lines of a tree on the way down, level by level, for engines that take that step for many packets at
 * once. Of the answers so far, the first one highest, a left turn is a 1: after the answers q of level k, one of the
 * words at words[k][0] to words[k][count[k] - 1] is compared with thr[k][q]. Which one: the i-th if bit 32 - i of pick[k][q]
 * is set, the first one if none is. */
typedef struct {
    uint32_t thr[FWK_TOP][32], pick[FWK_TOP][32];
    uint32_t child[64];
    uint8_t words[FWK_TOP][16], count[16], pad[16];
} fwk_top;

typedef struct {
    uint32_t root;
    uint32_t top;    /* byte where its fwk_top begins */
    uint32_t lowest; /* rule index */
    uint32_t entries, nodes, blocks;
} fwk_tree;

/* For each box five axes (src, dst, sport, dport, meta): axis k of box b has words[offset[5b+k]] to
 * words[offset[5b+k+1]], as pairs lo, hi, sorted; four words each on the address axes of IPv6, one otherwise. */
typedef struct {
    uint32_t boxes;
    uint32_t *offset;
    uint32_t *words;
} fwk_sets;

typedef struct {
    uint32_t dims; /* 5 or 11 */
    uint32_t wide; /* a node asks for a word behind the first eight of a row */
    uint32_t trees;
    fwk_tree tree[FWK_MAX_TREES];
    uint8_t *arena; /* lines of 64 bytes */
    size_t lines, allocated;
    uint32_t (*verified)[8];
    uint32_t verified_rows;
    fwk_sets sets;
} fwk_table;

typedef struct {
    uint32_t dims, count;
    const uint32_t *lo, *hi; /* count rows of dims words */
    const uint32_t *rule;    /* not decreasing */
    const uint32_t *box;     /* row of `sets` if a match must be checked there, else FWK_NONE */
} fwk_entries;

typedef int (*fwk_poll)(void *); /* nonzero: stop */

enum { FWK_OK, FWK_MEMORY, FWK_INTERRUPTED, FWK_INVALID, FWK_LARGE };

/* Builds the table; takes over `sets` (freed with the table) if it succeeds. */
int fwk_build(const fwk_entries *, fwk_sets *sets, size_t budget, fwk_poll, void *, fwk_table **);
void fwk_free(fwk_table *);
size_t fwk_bytes(const fwk_table *);

/* Does the exact check of a box hold for a row? */
int fwk_verify(const fwk_table *, uint32_t box, const uint32_t *row);

enum { FWK_PORTABLE, FWK_AVX2, FWK_AVX512, FWK_ENGINES };

/* Columns of FWK_BATCH packets, of which the first `count` matter (all must be readable). Addresses are numbers for
 * IPv4 and the sixteen bytes of the header for IPv6. */
typedef struct {
    const uint32_t *src, *dst;
    const uint8_t *src6, *dst6;
    const uint16_t *sport, *dport, *meta;
    uint32_t count;
} fwk_batch;

/* The rule index of each packet, `none` where no rule matches. */
typedef void (*fwk_run)(const fwk_table *, const fwk_batch *, uint32_t none, uint32_t *out);

int fwk_engine_live(int engine);
fwk_run fwk_engine(int engine, const fwk_table *);

/* --- one family of a policy: a table, and how a packet's fields become its class ----------------------------------- */

#define FWK_VALUES (1 << 17) /* the most that a field may have */

/* class = table[class * width + of_value[value of the field]] */
typedef struct {
    uint32_t field, values, width, size;
    uint16_t *of_value, *table;
} fwk_stage;

typedef struct {
    fwk_table *table;
    uint16_t of_protocol[768]; /* by protocol * 3 + fragment */
    uint32_t stages;
    fwk_stage stage[FWK_STAGES];
    uint32_t rules; /* also the index that stands for the default */
    uint32_t whole; /* no class depends on the fragment */
} fwk_family;

/* Columns of any length; those that no stage needs may be null. */
typedef struct {
    const uint8_t *protocol, *fragment;
    const uint32_t *src, *dst;
    const uint8_t *src6, *dst6;
    const uint16_t *sport, *dport;
    const void *field[FWK_STAGES]; /* items of fwk_item[] bytes */
} fwk_columns;

extern const uint8_t fwk_item[FWK_STAGES];

/* Are all classes and their tables in range? The sizes must be right. */
int fwk_family_valid(const fwk_family *);
void fwk_family_free(fwk_family *);

/* Rule indices of packets begin to end, into out[begin] to out[end]. Returns the first packet with a value outside its
 * field's domain (whose batch is not classified), or `end`. */
size_t fwk_classify(const fwk_family *, fwk_run, const fwk_columns *, size_t begin, size_t end, uint32_t *out);

#endif
