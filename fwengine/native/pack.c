/* Cut nodes -> lines: three levels to a node, eight entries to a block, equal leaves once. */
#include "build.h"

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
    if (!reserve(&t->arena, &room, t->lines + count, 64)) {
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
    if (!reserve(&p->leaf, &p->leaf_room, p->leaves + 1, sizeof *p->leaf)) {
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
            if (!reserve(&t->verified, &room, (size_t)t->verified_rows + 1, sizeof *t->verified)) {
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
            const uint32_t place = fwk_place(b->e->dims, n.dim);
            p->t->wide |= place > 7;
            made.dims |= place << 4 * i;
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

/* One level: which words are asked for, in order of their numbers, and which by whom. */
static void name_words(fwk_top *top, uint32_t level, const uint8_t *dim)
{
    uint8_t place[16];
    uint32_t used = 0;
    for (uint32_t q = 0; q < 1u << level; q++)
        if (top->thr[level][q] != 0xffffffffu) /* whatever is compared with this goes left */
            used |= 1u << dim[q];
    for (uint8_t w = 0; w < 16; w++)
        if (used >> w & 1) {
            place[w] = top->count[level];
            top->words[level][top->count[level]++] = w;
        }
    for (uint32_t q = 0; q < 1u << level; q++)
        if (used >> dim[q] & 1 && place[dim[q]])
            top->pick[level][q] = 1u << (32 - place[dim[q]]);
}

static uint32_t pack_top(packer *p, uint32_t root)
{
    size_t line = take_lines(p, (sizeof(fwk_top) + 63) / 64);
    if (p->b->error)
        return 0;
    fwk_top *top = (fwk_top *)(p->t->arena + line * 64);
    uint8_t dim[FWK_TOP][32];
    for (uint32_t half = 0; half < FWK_TOP; half += 3)
        for (uint32_t path = 0; path < 1u << half; path++) {
            uint32_t ref = !half || !(root & FWK_NODE) ? root : node_at(p->t, root)->child[path];
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
                    const uint32_t k = half + level, q = (1u << k) - 1 - ((path << level) + j);
                    top->thr[k][q] = n->thr[i];
                    dim[k][q] = n->dims >> 4 * i & 15;
                }
            for (int i = 0; half && i < 8; i++)
                top->child[63 - (8 * path + (uint32_t)i)] = n->child[i];
        }
    for (uint32_t level = 0; level < FWK_TOP; level++)
        name_words(top, level, dim[level]);
    return (uint32_t)line * 64;
}

void fwk_pack(builder *b, fwk_table *t, fwk_tree *tree)
{
    packer p = {.b = b, .t = t, .tree = tree, .leaves = 1, .buckets = 1024, .verified_room = t->verified_rows};
    while (p.buckets < (size_t)b->e->count && p.buckets < (1u << 20))
        p.buckets *= 2;
    p.bucket = calloc(p.buckets, sizeof *p.bucket);
    if (!p.bucket || !reserve(&p.leaf, &p.leaf_room, 1, sizeof *p.leaf))
        b->error = FWK_MEMORY;
    if (!t->lines && !b->error)
        take_lines(&p, 1); /* line 0 is no block, so that `next` can be 0 */
    if (!b->error)
        tree->root = pack(&p, 0);
    if (!b->error)
        tree->top = pack_top(&p, tree->root);
    free(p.leaf);
    free(p.bucket);
}
