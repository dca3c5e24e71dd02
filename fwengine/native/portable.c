/* The engine for any processor, in plain C. */
#include "lockstep.h"

static inline void rows4_portable(const fwk_batch *b, uint32_t *rows)
{
    for (uint32_t j = 0; j < b->count; j++) {
        uint32_t *row = rows + 8 * j;
        row[0] = b->src[j];
        row[1] = b->dst[j];
        row[2] = b->sport[j];
        row[3] = b->dport[j];
        row[4] = b->meta[j];
        row[5] = row[6] = row[7] = 0;
    }
}

static inline uint32_t big_endian(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void rows6_portable(const fwk_batch *b, uint32_t *rows)
{
    for (uint32_t j = 0; j < b->count; j++) {
        uint32_t *row = rows + 16 * j;
        for (uint32_t k = 0; k < 4; k++) {
            row[fwk_place(11, k)] = big_endian(b->src6 + 16 * j + 4 * k);
            row[fwk_place(11, 4 + k)] = big_endian(b->dst6 + 16 * j + 4 * k);
        }
        row[fwk_place(11, 8)] = b->sport[j];
        row[fwk_place(11, 9)] = b->dport[j];
        row[fwk_place(11, 10)] = b->meta[j];
        row[7] = row[12] = row[13] = row[14] = row[15] = 0;
    }
}

static inline begun begin_portable(const fwk_tree *tree, uint32_t count, uint32_t size, const uint32_t *out,
                                   uint32_t *ref, uint32_t *live, uint32_t *act)
{
    uint32_t n = 0;
    for (uint32_t j = 0; j < count; j++) {
        const uint32_t place = j * size;
        *REF(place) = tree->root;
        live[n] = act[n] = place;
        n += out[j] > tree->lowest;
    }
    return (begun){n, tree->root & FWK_NODE ? n : 0};
}

#define BEGIN4(t, tree, batch, rows, out, ref, live, act) begin_portable(tree, (batch)->count, 4, out, ref, live, act)
#define BEGIN6(t, tree, batch, rows, out, ref, live, act) begin_portable(tree, (batch)->count, 8, out, ref, live, act)

static inline uint32_t step_portable(const fwk_node *n, const uint32_t *row)
{
    uint32_t i = 0;
    i = 1 + (row[n->dims & 15] > n->thr[0]);
    i = 2 * i + 1 + (row[n->dims >> 4 * i & 15] > n->thr[i]);
    i = 2 * i + 1 + (row[n->dims >> 4 * i & 15] > n->thr[i]);
    return i - 7;
}

static inline uint32_t hits_portable(const fwk_block *x, const uint32_t *row, uint32_t dims)
{
    uint32_t m = 0;
    uint16_t port[3];
    for (int k = 0; k < 3; k++)
        port[k] = (uint16_t)row[fwk_port_place(dims) + k];
    for (int i = 0; i < 8; i++) {
        uint32_t all = 1;
        for (int k = 0; k < 3; k++)
            all &= (uint16_t)(port[k] - x->plo[8 * k + i]) <= x->plen[8 * k + i];
        for (uint32_t q = 0; q < x->pairs; q++)
            for (uint32_t h = 0; h < 2; h++) {
                all &= row[fwk_pair_place(dims, q) + h] - x->addr[32 * q + 8 * h + i] <= x->addr[32 * q + 16 + 8 * h + i];
            }
        m |= all << i;
    }
    return m;
}

static inline uint32_t hits4_portable(const fwk_block *x, const uint32_t *row) { return hits_portable(x, row, 5); }
static inline uint32_t hits6_portable(const fwk_block *x, const uint32_t *row) { return hits_portable(x, row, 11); }

FOLLOW(follow4_portable, hits4_portable, )
FOLLOW(follow6_portable, hits6_portable, )
WALKS(walk4_portable, rows4_portable, BEGIN4, step_portable, hits4_portable, follow4_portable, 8, )
WALKS(walk6_portable, rows6_portable, BEGIN6, step_portable, hits6_portable, follow6_portable, 16, )

const fwk_walks fwk_portable = {{walk4_portable_near, walk4_portable_far},
                                  {walk6_portable_near, walk6_portable_far},
                                  {walk6_portable_near, walk6_portable_far}};
