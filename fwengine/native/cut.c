/* Entries -> binary cuts: any word, any threshold. Within a cell, entries behind one that covers it all, or that an
 * earlier one shadows there, are dropped.
 */
#include "build.h"

#define MAX_DEPTH 60 /* binary levels; a cell deeper than that becomes a leaf, however long */

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
        if (!reserve(&b->a, &room, n, sizeof *b->a) || !reserve(&b->b, &r2, n, sizeof *b->b) ||
            !reserve(&b->scratch, &r3, n, sizeof *b->scratch)) {
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

/* Recursion is at most MAX_DEPTH deep. */
void fwk_cut(builder *b, size_t at, uint32_t *ids, uint32_t n, const cell *c, int depth)
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
        if (!reserve(&b->list, &b->list_room, b->refs + n, sizeof *b->list)) {
            b->error = FWK_MEMORY;
            return;
        }
        if (n)
            memcpy(b->list + b->refs, ids, n * sizeof *ids);
        b->node[at] = (cut_node){0xffffffffu, LEAF_DIM, (uint32_t)b->refs, n};
        b->refs += n;
        return;
    }
    if (!reserve(&b->node, &b->node_room, b->nodes + 2, sizeof *b->node)) {
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
        fwk_cut(b, child + side, part, k, &sub, depth + 1);
    }
    free(part);
}
