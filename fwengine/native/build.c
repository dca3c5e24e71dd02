/* Entries -> table. Several ways to divide the entries among trees are tried, each within a budget of references from
 * leaves to entries; the cheapest by a model of memory accesses over sampled packets wins. Deterministic: no clock, no
 * address, no random state takes part in a decision.
 */
#if defined(__linux__)
#define _DEFAULT_SOURCE
#endif
#include "build.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

#define SAMPLES 2048

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

/* The trees of a plan, or why there are none. */
static int grow(builder *b, const plan *how, const uint8_t *group, uint32_t *ids, size_t budget, size_t *refs,
                fwk_table **out)
{
    const fwk_entries *e = b->e;
    fwk_table *t = calloc(1, sizeof *t);
    size_t used = 0;
    cell whole;
    if (!t)
        return FWK_MEMORY;
    for (uint32_t d = 0; d < e->dims; d++) {
        whole.lo[d] = 0;
        whole.hi[d] = d + 3 >= e->dims ? 0xffffu : 0xffffffffu;
    }
    whole.hi[e->dims - 1] = FWK_NO_META - 1;
    t->dims = e->dims;
    b->error = FWK_OK;
    for (uint32_t g = 0; g < how->groups && !b->error; g++) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < e->count; i++)
            if (!group || how->group[group[i]] == g)
                ids[n++] = i;
        fwk_tree *tree = &t->tree[t->trees++];
        tree->entries = n;
        tree->lowest = n ? e->rule[ids[0]] : FWK_NONE;
        b->nodes = 1;
        b->refs = 0;
        b->ref_limit = used < budget ? budget - used : 0;
        if (!reserve(&b->node, &b->node_room, 1, sizeof *b->node))
            b->error = FWK_MEMORY;
        else
            fwk_cut(b, 0, ids, n, &whole, 0);
        used += b->refs;
        if (!b->error)
            fwk_pack(b, t, tree);
    }
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
    *refs = used;
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
            uint32_t *word = &row[fwk_place(e->dims, d)];
            *word = e->lo[at] + (uint32_t)((state >> 32) * ((uint64_t)(e->hi[at] - e->lo[at]) + 1) >> 32);
            if (anywhere && d + 1 < e->dims)
                *word = (uint32_t)(state >> 32) >> (d + 3 < e->dims ? 0 : 16);
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
                uint32_t hit = 0;
                total += first ? block : further;
                first = 0;
                for (uint32_t i = 0; i < 8 && !hit; i++) {
                    int all = 1;
                    for (uint32_t q = 0; q < 3; q++)
                        all &= (uint16_t)(row[fwk_port_place(t->dims) + q] - x->plo[8 * q + i]) <= x->plen[8 * q + i];
                    for (uint32_t q = 0; q < x->pairs; q++)
                        for (uint32_t h = 0; h < 2; h++) {
                            uint32_t word = row[fwk_pair_place(t->dims, q) + h];
                            all &= word - x->addr[32 * q + 8 * h + i] <= x->addr[32 * q + 16 + 8 * h + i];
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
        {24, {2, 1, 0, 0}, 3}, /* narrow destination, else narrow source, else wide: seldom large */
        {0, {0, 0, 0, 0}, 1},
        {24, {0, 1, 1, 1}, 2}, /* wide in both apart */
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
    size_t best_refs = 0;
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
            size_t refs = 0;
            if (how->groups > 1 && !divide(e, how, group))
                continue; /* the same as a simpler plan */
            size_t limit = budget * tries[attempt].budgets, enough = best_refs * 2 > 100000 ? best_refs * 2 : 100000;
            if (best && limit > enough) /* what is that much larger than another plan's table is not faster */
                limit = enough;
            error = grow(&b, how, how->groups > 1 ? group : NULL, ids, limit, &refs, &t);
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
                best_refs = refs;
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
