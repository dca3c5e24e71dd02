/* Entries -> table. Binary cuts first (any word, any threshold), rules behind one that covers a cut's whole cell are
 * dropped, three levels are then packed into a node of one cache line, equal leaves are stored once.
 *
 * Several ways to divide the entries among trees are tried, each within a budget of references from leaves to entries;
 * the cheapest by a model of memory accesses over sampled packets wins. Deterministic: no clock, no address, no random
 * state takes part in a decision.
 */
#if defined(__linux__)
#define _DEFAULT_SOURCE
#endif
#include "kernel.h"

#include <stdlib.h>
#include <string.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#define MAX_DEPTH 60 /* binary levels; a cell deeper than that becomes a leaf, however long */
#define SAMPLES 2048

typedef struct {
    uint32_t thr, dim; /* dim == LEAF_DIM: list from `left`, `right` long */
    uint32_t left, right;
} cut_node;
#define LEAF_DIM 0xffu

typedef struct {
    const fwk_entries *e;
    cut_node *node;
    size_t nodes, node_room;
    uint32_t *list;
    size_t refs, list_room;
    size_t ref_limit;
    uint32_t leaf;   /* entries a leaf may have without another try to cut */
    uint32_t growth; /* per mille of its entries that a cut of a small cell may have together */
    uint32_t *a, *b, *scratch;
    size_t sort_room;
    fwk_poll poll;
    void *context;
    size_t work; /* entries looked at since the last poll */
    int error;
} builder;

static int reserve(void **data, size_t *room, size_t need, size_t each)
{
    if (need <= *room)
        return 1;
    size_t want = *room + *room / 2 + 1024;
    if (want < need)
        want = need;
    if (want > SIZE_MAX / each)
        return 0;
    void *grown = realloc(*data, want * each);
    if (!grown)
        return 0;
    *data = grown;
    *room = want;
    return 1;
}

static int tick(builder *b, size_t work)
{
    b->work += work;
    if (b->work < 2000000)
        return 1;
    b->work = 0;
    if (b->poll && b->poll(b->context)) {
        b->error = FWK_INTERRUPTED;
        return 0;
    }
    return 1;
}

/* --- sorting ---------------------------------------------------------------------------------------------------- */

static void insertion_sort(uint32_t *v, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        uint32_t x = v[i];
        size_t j = i;
        for (; j && v[j - 1] > x; j--)
            v[j] = v[j - 1];
        v[j] = x;
    }
}

/* Least significant digit first; digits that all values share are skipped. */
static void radix_sort(uint32_t *v, uint32_t *other, size_t n)
{
    uint32_t count[4][256];
    memset(count, 0, sizeof count);
    for (size_t i = 0; i < n; i++)
        for (int d = 0; d < 4; d++)
            count[d][v[i] >> 8 * d & 255]++;
    uint32_t *from = v, *to = other;
    for (int d = 0; d < 4; d++) {
        if (count[d][from[0] >> 8 * d & 255] == n)
            continue;
        uint32_t sum = 0;
        for (int k = 0; k < 256; k++) {
            uint32_t c = count[d][k];
            count[d][k] = sum;
            sum += c;
        }
        for (size_t i = 0; i < n; i++)
            to[count[d][from[i] >> 8 * d & 255]++] = from[i];
        uint32_t *t = from;
        from = to;
        to = t;
    }
    if (from != v)
        memcpy(v, from, n * sizeof *v);
}

static void sort_words(uint32_t *v, uint32_t *scratch, size_t n)
{
    if (n <= 48)
        insertion_sort(v, n);
    else
        radix_sort(v, scratch, n);
}

/* --- cutting ---------------------------------------------------------------------------------------------------- */

typedef struct {
    uint32_t lo[FWK_MAX_WORDS], hi[FWK_MAX_WORDS];
} cell;

static int covers(const builder *b, uint32_t id, const cell *c)
{
    const fwk_entries *e = b->e;
    const uint32_t *lo = e->lo + (size_t)id * e->dims, *hi = e->hi + (size_t)id * e->dims;
    if (e->box[id] != FWK_NONE)
        return 0; /* its intervals are only bounds */
    for (uint32_t d = 0; d < e->dims; d++)
        if (lo[d] > c->lo[d] || hi[d] < c->hi[d])
            return 0;
    return 1;
}

/* Within the cell, does the earlier entry match whatever the later one does? */
static int shadows(const builder *b, uint32_t earlier, uint32_t later, const cell *c)
{
    const fwk_entries *e = b->e;
    const uint32_t *alo = e->lo + (size_t)earlier * e->dims, *ahi = e->hi + (size_t)earlier * e->dims;
    const uint32_t *blo = e->lo + (size_t)later * e->dims, *bhi = e->hi + (size_t)later * e->dims;
    if (e->box[earlier] != FWK_NONE)
        return 0;
    for (uint32_t d = 0; d < e->dims; d++) {
        uint32_t lo = blo[d] > c->lo[d] ? blo[d] : c->lo[d], hi = bhi[d] < c->hi[d] ? bhi[d] : c->hi[d];
        if (alo[d] > lo || ahi[d] < hi)
            return 0;
    }
    return 1;
}

static uint32_t prune(const builder *b, uint32_t *ids, uint32_t n, const cell *c)
{
    for (uint32_t i = 0; i < n; i++)
        if (covers(b, ids[i], c)) {
            n = i + 1;
            break;
        }
    if (n > 40)
        return n;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t j = 0;
        while (j < kept && !shadows(b, ids[j], ids[i], c))
            j++;
        if (j == kept)
            ids[kept++] = ids[i];
    }
    return kept;
}

/* The best threshold: 1 if there is one that leaves fewer entries on either side. */
static int choose(builder *b, const uint32_t *ids, uint32_t n, const cell *c, uint32_t *best_dim, uint32_t *best_thr,
                  uint32_t *best_sum)
{
    const fwk_entries *e = b->e;
    uint32_t dims = e->dims;
    if (n > b->sort_room) {
        size_t room = b->sort_room, r2 = room, r3 = room;
        if (!reserve((void **)&b->a, &room, n, sizeof *b->a) || !reserve((void **)&b->b, &r2, n, sizeof *b->b) ||
            !reserve((void **)&b->scratch, &r3, n, sizeof *b->scratch)) {
            b->error = FWK_MEMORY;
            return 0;
        }
        b->sort_room = room;
    }
    uint64_t best = UINT64_MAX;
    for (uint32_t d = 0; d < dims; d++) {
        uint32_t clo = c->lo[d], chi = c->hi[d], inner = 0;
        if (clo == chi)
            continue;
        for (uint32_t i = 0; i < n; i++) {
            size_t at = (size_t)ids[i] * dims + d;
            uint32_t lo = e->lo[at], hi = e->hi[at];
            b->a[i] = lo < clo ? clo : lo;
            b->b[i] = hi > chi ? chi : hi;
            inner += (lo > clo) | (hi < chi);
        }
        if (!inner)
            continue;
        sort_words(b->a, b->scratch, n);
        sort_words(b->b, b->scratch, n);
        /* thresholds just below a beginning and at an end, in ascending order */
        uint32_t ia = 0, ib = 0;
        while (ia < n || ib < n) {
            uint32_t thr;
            while (ia < n && b->a[ia] == clo)
                ia++;
            if (ia < n && (ib == n || b->a[ia] - 1 <= b->b[ib]))
                thr = b->a[ia] - 1;
            else if (ib < n)
                thr = b->b[ib];
            else
                break;
            if (thr >= chi)
                break;
            uint32_t left = ia; /* entries that begin at or below thr: those before ia, as a[ia] > thr */
            while (ia < n && b->a[ia] <= thr)
                ia++, left++;
            while (ib < n && b->b[ib] <= thr)
                ib++;
            uint32_t right = n - ib, most = left > right ? left : right;
            if (most < n) {
                uint64_t cost = (uint64_t)most + left + right;
                if (cost < best) {
                    best = cost;
                    *best_dim = d;
                    *best_thr = thr;
                    *best_sum = left + right;
                }
            }
            while (ia < n && b->a[ia] - 1 <= thr)
                ia++;
        }
        if (!tick(b, n))
            return 0;
    }
    return best != UINT64_MAX;
}

/* Makes the node `at` for these entries (a list the callee may shorten). Recursion is at most MAX_DEPTH deep. */
static void cut(builder *b, size_t at, uint32_t *ids, uint32_t n, const cell *c, int depth)
{
    uint32_t dim = 0, thr = 0, sum = 0;
    n = prune(b, ids, n, c);
    if (b->refs > b->ref_limit)
        b->error = FWK_LARGE;
    if (b->error)
        return;
    int split = n > b->leaf && depth < MAX_DEPTH && choose(b, ids, n, c, &dim, &thr, &sum);
    if (split && n <= 4 * b->leaf && (uint64_t)sum * 1000 > (uint64_t)n * b->growth)
        split = 0;
    if (b->error)
        return;
    if (!split) {
        if (!reserve((void **)&b->list, &b->list_room, b->refs + n, sizeof *b->list)) {
            b->error = FWK_MEMORY;
            return;
        }
        if (n)
            memcpy(b->list + b->refs, ids, n * sizeof *ids);
        b->node[at] = (cut_node){0xffffffffu, LEAF_DIM, (uint32_t)b->refs, n};
        b->refs += n;
        return;
    }
    if (!reserve((void **)&b->node, &b->node_room, b->nodes + 2, sizeof *b->node)) {
        b->error = FWK_MEMORY;
        return;
    }
    const fwk_entries *e = b->e;
    size_t child = b->nodes;
    b->nodes += 2;
    b->node[at] = (cut_node){thr, dim, (uint32_t)child, (uint32_t)child + 1};
    uint32_t *part = malloc((size_t)n * sizeof *part);
    if (!part) {
        b->error = FWK_MEMORY;
        return;
    }
    for (int side = 0; side < 2 && !b->error; side++) {
        uint32_t k = 0;
        for (uint32_t i = 0; i < n; i++) {
            size_t word = (size_t)ids[i] * e->dims + dim;
            if (side ? e->hi[word] > thr : e->lo[word] <= thr)
                part[k++] = ids[i];
        }
        cell sub = *c;
        if (side)
            sub.lo[dim] = thr + 1;
        else
            sub.hi[dim] = thr;
        cut(b, child + side, part, k, &sub, depth + 1);
    }
    free(part);
}

/* --- packing ---------------------------------------------------------------------------------------------------- */

typedef struct {
    uint32_t first, count, line, next; /* a leaf's list, its block's line, the next in the hash chain */
} leaf_record;

typedef struct {
    builder *b;
    fwk_table *t;
    leaf_record *leaf;
    size_t leaves, leaf_room;
    uint32_t *bucket;
    size_t buckets;
    size_t verified_room;
    fwk_tree *tree;
} packer;

static size_t take_lines(packer *p, size_t count)
{
    fwk_table *t = p->t;
    size_t room = t->allocated / 64;
    if (!reserve((void **)&t->arena, &room, t->lines + count, 64)) {
        p->b->error = FWK_MEMORY;
        return 0;
    }
    t->allocated = room * 64;
    size_t at = t->lines;
    memset(t->arena + at * 64, 0, count * 64);
    t->lines += count;
    if (t->lines >= (1u << 26)) /* a reference has 32 bits */
        p->b->error = FWK_LARGE;
    return at;
}

static uint32_t block_pairs(const fwk_entries *e, const uint32_t *ids, uint32_t n)
{
    if (e->dims == 5)
        return 1;
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t *lo = e->lo + (size_t)ids[i] * e->dims, *hi = e->hi + (size_t)ids[i] * e->dims;
        static const int low[4] = {2, 3, 6, 7};
        for (int k = 0; k < 4; k++)
            if (lo[low[k]] != 0 || hi[low[k]] != 0xffffffffu)
                return 4;
    }
    return 2;
}

static uint32_t pack_leaf(packer *p, uint32_t first, uint32_t count)
{
    builder *b = p->b;
    fwk_table *t = p->t;
    const fwk_entries *e = b->e;
    const uint32_t *ids = count ? b->list + first : NULL;
    uint64_t hash = 1469598103934665603u;
    for (uint32_t i = 0; i < count; i++)
        hash = (hash ^ ids[i]) * 1099511628211u;
    size_t slot = (size_t)(hash >> 20) & (p->buckets - 1);
    for (uint32_t r = p->bucket[slot]; r; r = p->leaf[r].next)
        if (p->leaf[r].count == count && (!count || !memcmp(b->list + p->leaf[r].first, ids, count * sizeof *ids)))
            return p->leaf[r].line * 64;
    if (!reserve((void **)&p->leaf, &p->leaf_room, p->leaves + 1, sizeof *p->leaf)) {
        b->error = FWK_MEMORY;
        return 0;
    }
    uint32_t head = 0, previous = 0, done = 0;
    do {
        uint32_t n = count - done < 8 ? count - done : 8;
        uint32_t pairs = block_pairs(e, ids ? ids + done : NULL, n);
        size_t line = take_lines(p, 3 + 2 * (size_t)pairs);
        if (b->error)
            return 0;
        fwk_block *x = (fwk_block *)(t->arena + line * 64);
        x->rule[8] = FWK_NONE;
        x->pairs = pairs;
        uint32_t portword = e->dims - 3;
        for (uint32_t i = 0; i < 8; i++) {
            x->rule[i] = FWK_NONE;
            x->plen[24 + i] = 0xffff;
            if (i >= n) {
                x->plo[16 + i] = FWK_NO_META; /* a class no packet is of */
                continue;
            }
            uint32_t id = ids[done + i];
            const uint32_t *lo = e->lo + (size_t)id * e->dims, *hi = e->hi + (size_t)id * e->dims;
            for (uint32_t k = 0; k < 3; k++) {
                x->plo[8 * k + i] = (uint16_t)lo[portword + k];
                x->plen[8 * k + i] = (uint16_t)(hi[portword + k] - lo[portword + k]);
            }
            /* pairs: IPv4 (src dst); IPv6 (src0 src1) (dst0 dst1) (src2 src3) (dst2 dst3) */
            for (uint32_t q = 0; q < pairs; q++)
                for (uint32_t h = 0; h < 2; h++) {
                    uint32_t word = e->dims == 5 ? h : (q & 1) * 4 + (q >> 1) * 2 + h;
                    x->addr[32 * q + 8 * h + i] = lo[word];
                    x->addr[32 * q + 16 + 8 * h + i] = hi[word] - lo[word];
                }
            x->rule[i] = e->rule[id];
            if (e->box[id] != FWK_NONE)
                x->verify |= 1u << i;
        }
        if (x->verify) {
            size_t room = p->verified_room;
            if (!reserve((void **)&t->verified, &room, (size_t)t->verified_rows + 1, sizeof *t->verified)) {
                b->error = FWK_MEMORY;
                return 0;
            }
            p->verified_room = room;
            for (uint32_t i = 0; i < 8; i++)
                t->verified[t->verified_rows][i] = i < n ? e->box[ids[done + i]] : FWK_NONE;
            x->exact = t->verified_rows++;
            x->special = 1;
        }
        p->tree->blocks++;
        if (previous) {
            fwk_block *before = (fwk_block *)(t->arena + (size_t)previous * 64);
            before->next = (uint32_t)line * 64;
            before->special = 1;
        } else
            head = (uint32_t)line;
        previous = (uint32_t)line;
        done += n;
    } while (done < count);
    p->leaves++; /* record 0 stands for "none" */
    p->leaf[p->leaves - 1] = (leaf_record){first, count, head, p->bucket[slot]};
    p->bucket[slot] = (uint32_t)p->leaves - 1;
    return head * 64;
}

/* Packs the cut node and up to two levels below it; the child references of the line that is filled in are made
 * afterwards, in order, so that a line's children lie near each other. */
static uint32_t pack(packer *p, uint32_t at)
{
    builder *b = p->b;
    if (b->node[at].dim == LEAF_DIM)
        return pack_leaf(p, b->node[at].left, b->node[at].right);
    size_t line = take_lines(p, 1);
    if (b->error)
        return 0;
    uint32_t slot[15]; /* cut nodes in heap order */
    slot[0] = at;
    fwk_node made;
    memset(&made, 0, sizeof made);
    for (int i = 0; i < 7; i++) {
        cut_node n = b->node[slot[i]];
        if (n.dim == LEAF_DIM) { /* always left, both sides the same */
            made.thr[i] = 0xffffffffu;
            slot[2 * i + 1] = slot[2 * i + 2] = slot[i];
        } else {
            made.thr[i] = n.thr;
            made.dims |= n.dim << 4 * i;
            slot[2 * i + 1] = n.left;
            slot[2 * i + 2] = n.right;
        }
    }
    p->tree->nodes++;
    for (int i = 0; i < 8; i++) {
        made.child[i] = i && slot[7 + i] == slot[6 + i] ? made.child[i - 1] : pack(p, slot[7 + i]);
        if (b->error)
            return 0;
    }
    memcpy(p->t->arena + line * 64, &made, sizeof made);
    return (uint32_t)line * 64 | FWK_NODE;
}

static const fwk_node *node_at(const fwk_table *t, uint32_t ref)
{
    return (const fwk_node *)(t->arena + (ref - FWK_NODE));
}

static uint32_t pack_top(packer *p, uint32_t root)
{
    size_t line = take_lines(p, (sizeof(fwk_top) + 63) / 64);
    if (p->b->error)
        return 0;
    fwk_top *top = (fwk_top *)(p->t->arena + line * 64);
    for (uint32_t half = 0; half < FWK_TOP; half += 3)
        for (uint32_t q = 0; q < 1u << half; q++) {
            uint32_t ref = !half || !(root & FWK_NODE) ? root : node_at(p->t, root)->child[q];
            fwk_node stop;
            const fwk_node *n = &stop;
            memset(&stop, 0, sizeof stop);
            for (int i = 0; i < 8; i++) {
                stop.child[i] = ref;
                if (i < 7)
                    stop.thr[i] = 0xffffffffu;
            }
            if (ref & FWK_NODE)
                n = node_at(p->t, ref);
            for (uint32_t level = 0, i = 0; level < 3; level++)
                for (uint32_t j = 0; j < 1u << level; j++, i++) {
                    top->thr[half + level][(q << level) + j] = n->thr[i];
                    top->dim[half + level][(q << level) + j] = n->dims >> 4 * i & 15;
                    if (n->thr[i] != 0xffffffffu)
                        top->used[half + level] |= 1u << (n->dims >> 4 * i & 15);
                }
        }
    uint32_t first[8];
    for (int q = 0; q < 8; q++)
        first[q] = !(root & FWK_NODE) ? root : node_at(p->t, root)->child[q];
    for (int q = 0; q < 8; q++)
        for (int i = 0; i < 8; i++)
            top->child[8 * q + i] =
                !(first[q] & FWK_NODE) ? first[q] : node_at(p->t, first[q])->child[i];
    return (uint32_t)line * 64;
}

/* --- the forest ------------------------------------------------------------------------------------------------- */

typedef struct {
    uint32_t wide;       /* log2 of the addresses above which a match is wide */
    uint8_t group[4];    /* tree of entries by (source narrow) + 2 (destination narrow) */
    uint32_t groups;
} plan;

static void release(void *data, size_t bytes)
{
#if defined(__linux__)
    if (data && bytes >= (1u << 20)) {
        munmap(data, bytes);
        return;
    }
#endif
    (void)bytes;
    free(data);
}

/* The arena moves to its final place: aligned, on huge pages where the system has them. */
static int settle(fwk_table *t)
{
    size_t bytes = t->lines * 64;
    uint8_t *moved = NULL;
    size_t allocated = bytes;
#if defined(__linux__)
    if (bytes >= (1u << 20)) {
        const size_t huge = 2u << 20;
        allocated = (bytes + huge - 1) & ~(huge - 1);
        uint8_t *raw = mmap(NULL, allocated + huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (raw == MAP_FAILED)
            return 0;
        size_t skip = (huge - (uintptr_t)raw % huge) % huge;
        if (skip)
            munmap(raw, skip);
        if (huge - skip)
            munmap(raw + skip + allocated, huge - skip);
        moved = raw + skip;
        madvise(moved, allocated, MADV_HUGEPAGE);
        memcpy(moved, t->arena, bytes);
    } else
#endif
    {
        allocated = bytes ? bytes : 64;
#if defined(_WIN32)
        return 1; /* plain allocation: rows there are read without alignment */
#else
        moved = aligned_alloc(64, allocated);
        if (!moved)
            return 0;
        memcpy(moved, t->arena, bytes);
#endif
    }
    free(t->arena);
    t->arena = moved;
    t->allocated = allocated;
    return 1;
}

static int narrow(const fwk_entries *e, uint32_t id, uint32_t word, uint32_t log2)
{
    const uint32_t *lo = e->lo + (size_t)id * e->dims + word, *hi = e->hi + (size_t)id * e->dims + word;
    if (e->dims == 5)
        return hi[0] - lo[0] < (1u << log2);
    /* IPv6: as for IPv4 on the upper 32 bits and, where those are one value, on the next */
    if (lo[0] != hi[0])
        return 0;
    return hi[1] - lo[1] < (1u << log2);
}

/* The group of each entry; 0 if one of the plan's trees would be empty. */
static int divide(const fwk_entries *e, const plan *how, uint8_t *group)
{
    uint32_t seen = 0, to = e->dims == 5 ? 1 : 4;
    for (uint32_t i = 0; i < e->count; i++) {
        group[i] = (uint8_t)(narrow(e, i, 0, how->wide) + 2 * narrow(e, i, to, how->wide));
        seen |= 1u << how->group[group[i]];
    }
    return seen == (1u << how->groups) - 1;
}

static void drop(fwk_table *t, int settled)
{
    if (!t)
        return;
    if (settled)
        release(t->arena, t->allocated);
    else
        free(t->arena);
    free(t->verified);
    free(t->sets.offset);
    free(t->sets.words);
    free(t);
}

void fwk_free(fwk_table *t) { drop(t, 1); }

size_t fwk_bytes(const fwk_table *t)
{
    size_t sets = 0;
    if (t->sets.boxes)
        sets = ((size_t)t->sets.boxes * 5 + 1 + t->sets.offset[(size_t)t->sets.boxes * 5]) * 4;
    return sizeof *t + t->allocated + (size_t)t->verified_rows * sizeof *t->verified + sets;
}

static int grow_plan(builder *b, const plan *how, const uint8_t *group, uint32_t *ids, size_t budget, fwk_table **out)
{
    const fwk_entries *e = b->e;
    fwk_table *t = calloc(1, sizeof *t);
    packer p = {.b = b, .t = t};
    p.buckets = 1024;
    while (p.buckets < (size_t)e->count && p.buckets < (1u << 20))
        p.buckets *= 2;
    p.bucket = NULL;
    if (!t)
        return FWK_MEMORY;
    t->dims = e->dims;
    b->error = FWK_OK;
    size_t used = 0;
    take_lines(&p, 1); /* line 0 is no block, so that `next` can be 0 */
    for (uint32_t g = 0; g < how->groups && !b->error; g++) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < e->count; i++)
            if (!group || how->group[group[i]] == g)
                ids[n++] = i;
        if (!n && (g || how->groups > 1))
            continue;
        cell whole;
        for (uint32_t d = 0; d < e->dims; d++) {
            whole.lo[d] = 0;
            whole.hi[d] = d + 3 >= e->dims ? 0xffffu : 0xffffffffu;
        }
        whole.hi[e->dims - 1] = FWK_NO_META - 1;
        b->nodes = b->refs = 0;
        b->ref_limit = used < budget ? budget - used : 0;
        fwk_tree *tree = &t->tree[t->trees++];
        tree->entries = n;
        tree->lowest = n ? e->rule[ids[0]] : FWK_NONE;
        p.tree = tree;
        if (!reserve((void **)&b->node, &b->node_room, 1, sizeof *b->node)) {
            b->error = FWK_MEMORY;
            break;
        }
        b->nodes = 1;
        cut(b, 0, ids, n, &whole, 0);
        if (b->error)
            break;
        used += b->refs;
        free(p.bucket);
        p.leaves = 1;
        p.bucket = calloc(p.buckets, sizeof *p.bucket);
        if (!p.bucket || !reserve((void **)&p.leaf, &p.leaf_room, 1, sizeof *p.leaf)) {
            b->error = FWK_MEMORY;
            break;
        }
        tree->root = pack(&p, 0);
        if (!b->error)
            tree->top = pack_top(&p, tree->root);
    }
    free(p.leaf);
    free(p.bucket);
    if (b->error) {
        drop(t, 0);
        return b->error;
    }
    /* in the order of their lowest rules, so that later trees can be skipped */
    for (uint32_t i = 1; i < t->trees; i++)
        for (uint32_t j = i; j && t->tree[j].lowest < t->tree[j - 1].lowest; j--) {
            fwk_tree x = t->tree[j];
            t->tree[j] = t->tree[j - 1];
            t->tree[j - 1] = x;
        }
    *out = t;
    return FWK_OK;
}

/* Nanoseconds, roughly, that a packet costs: accesses over packets sampled from the entries. */
static double model(const fwk_table *t, const fwk_entries *e)
{
    /* a line from the caches that a table of this size stays in, with many such accesses on the way */
    double step = t->lines < (1u << 10) ? 0.7
                  : t->lines < (1u << 13) ? 1.2
                  : t->lines < (1u << 14) ? 1.6
                  : t->lines < (1u << 17) ? 2.4
                                          : 4.0;
    double block = 1.5 * step, further = block + 6.0; /* a further block of a leaf is seldom foreseen */
    uint64_t state = 88172645463325252u;
    uint32_t samples = e->count < SAMPLES ? e->count : SAMPLES;
    double total = 0;
    for (uint32_t s = 0; s < samples; s++) {
        uint32_t id = (uint32_t)((uint64_t)s * e->count / samples), anywhere = s % 4 == 3;
        uint32_t row[16] = {0};
        for (uint32_t d = 0; d < e->dims; d++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            size_t at = (size_t)id * e->dims + d;
            row[d] = e->lo[at] + (uint32_t)((state >> 32) * ((uint64_t)(e->hi[at] - e->lo[at]) + 1) >> 32);
            if (anywhere && d + 1 < e->dims)
                row[d] = (uint32_t)(state >> 32) >> (d + 3 < e->dims ? 0 : 16);
        }
        uint32_t best = FWK_NONE;
        for (uint32_t k = 0; k < t->trees && t->tree[k].lowest < best; k++) {
            uint32_t ref = t->tree[k].root;
            int level = 0;
            total += 2.0; /* the first two lines, for many packets at once */
            while (ref & FWK_NODE) {
                const fwk_node *n = node_at(t, ref);
                uint32_t i = 0;
                while (i < 7)
                    i = 2 * i + 1 + (row[n->dims >> 4 * i & 15] > n->thr[i]);
                ref = n->child[i - 7];
                if (++level > 2)
                    total += step;
            }
            uint32_t at = ref;
            int first = 1;
            while (at) {
                const fwk_block *x = (const fwk_block *)(t->arena + at);
                uint32_t portword = t->dims - 3, hit = 0;
                total += first ? block : further;
                first = 0;
                for (uint32_t i = 0; i < 8 && !hit; i++) {
                    int all = 1;
                    for (uint32_t q = 0; q < 3; q++)
                        all &= (uint16_t)(row[portword + q] - x->plo[8 * q + i]) <= x->plen[8 * q + i];
                    for (uint32_t q = 0; q < x->pairs; q++)
                        for (uint32_t h = 0; h < 2; h++) {
                            uint32_t word = t->dims == 5 ? h : (q & 1) * 4 + (q >> 1) * 2 + h;
                            all &= row[word] - x->addr[32 * q + 8 * h + i] <= x->addr[32 * q + 16 + 8 * h + i];
                        }
                    if (all) {
                        if (x->rule[i] < best)
                            best = x->rule[i];
                        hit = 1;
                        if (x->verify >> i & 1)
                            total += 15;
                    }
                }
                if (hit)
                    break;
                at = x->next;
            }
        }
    }
    return samples ? total / samples : 0;
}

#ifdef FWK_TUNE
#include <stdio.h>
#endif

int fwk_build(const fwk_entries *e, fwk_sets *sets, size_t budget, fwk_poll poll, void *context, fwk_table **out)
{
    static const plan plans[] = {
        {0, {0, 0, 0, 0}, 1},
        {24, {0, 1, 1, 1}, 2}, /* wide in both apart */
        {24, {2, 1, 0, 0}, 3}, /* narrow destination, else narrow source, else wide */
        {24, {1, 1, 0, 0}, 2}, /* by destination */
        {16, {0, 1, 1, 1}, 2},
        {16, {2, 1, 0, 0}, 3},
    };
    /* From what is fast to what always fits. */
    static const struct {
        uint32_t leaf, growth, budgets;
    } tries[] = {{8, 1700, 1}, {8, 1200, 1}, {32, 1500, 1}, {128, 1500, 2}, {UINT32_MAX / 8, 0, 2}};
    builder b = {.e = e, .poll = poll, .context = context};
    fwk_table *best = NULL;
    double best_cost = 0;
    int error = FWK_OK;
    *out = NULL;
    if (e->dims != 5 && e->dims != 11)
        return FWK_INVALID;
    for (size_t i = 0; i < (size_t)e->count * e->dims; i++)
        if (e->lo[i] > e->hi[i])
            return FWK_INVALID;
    for (uint32_t i = 0; i < e->count; i++) {
        if (e->box[i] != FWK_NONE && e->box[i] >= sets->boxes)
            return FWK_INVALID;
        if (e->rule[i] >= 0x80000000u || (i && e->rule[i] < e->rule[i - 1]))
            return FWK_INVALID;
        for (uint32_t k = e->dims - 3; k < e->dims; k++)
            if (e->hi[(size_t)i * e->dims + k] > (k + 1 < e->dims ? 0xffffu : FWK_NO_META - 1))
                return FWK_INVALID;
    }
    uint32_t *ids = malloc(((size_t)e->count + 1) * sizeof *ids);
    uint8_t *group = malloc((size_t)e->count + 1);
    if (!ids || !group)
        error = FWK_MEMORY;
    for (size_t attempt = 0; attempt < sizeof tries / sizeof *tries && !best && !error; attempt++) {
        b.leaf = tries[attempt].leaf;
        b.growth = tries[attempt].growth;
        for (size_t k = 0; k < sizeof plans / sizeof *plans && !error; k++) {
            const plan *how = &plans[k];
            fwk_table *t = NULL;
            if (how->groups > 1 && !divide(e, how, group))
                continue; /* the same as a simpler plan */
            error = grow_plan(&b, how, how->groups > 1 ? group : NULL, ids, budget * tries[attempt].budgets, &t);
            if (error == FWK_LARGE)
                error = FWK_OK; /* another plan, or another attempt, will do */
            if (!t)
                continue;
            double cost = model(t, e);
#ifdef FWK_TUNE
            fprintf(stderr, "plan %zu leaf %u: %zu KB, cost %.2f;", k, b.leaf, t->lines / 16, cost);
            for (uint32_t g = 0; g < t->trees; g++)
                fprintf(stderr, " [%u: %u nodes %u blocks]", t->tree[g].entries, t->tree[g].nodes, t->tree[g].blocks);
            fprintf(stderr, "\n");
#endif
            if (!best || cost < best_cost) {
                drop(best, 0);
                best = t;
                best_cost = cost;
            } else
                drop(t, 0);
        }
    }
    free(ids);
    free(group);
    free(b.node);
    free(b.list);
    free(b.a);
    free(b.b);
    free(b.scratch);
    if (!error && !best)
        error = FWK_LARGE;
    if (!error && !settle(best))
        error = FWK_MEMORY;
    if (error) {
        drop(best, 0);
        return error;
    }
    best->sets = *sets;
    *sets = (fwk_sets){0, NULL, NULL};
    *out = best;
    return FWK_OK;
}
