/* What the three parts of the build share. Private to them. */
#ifndef FWK_BUILD_H
#define FWK_BUILD_H

#include "classifier.h"

#include <stdlib.h>
#include <string.h>

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

typedef struct {
    uint32_t lo[FWK_MAX_WORDS], hi[FWK_MAX_WORDS];
} cell;

/* Makes the cut node `at` for these entries (a list that it may shorten), which all meet the cell. */
void fwk_cut(builder *, size_t at, uint32_t *ids, uint32_t n, const cell *, int depth);

/* Packs the tree of cut nodes into the table; sets the tree's root and top. Errors are the builder's. */
void fwk_pack(builder *, fwk_table *, fwk_tree *);

static inline const fwk_node *node_at(const fwk_table *t, uint32_t ref)
{
    return (const fwk_node *)(t->arena + (ref - FWK_NODE));
}

/* Room for `need` items behind the pointer that `place` is the address of: 1, or 0 if there is no memory. */
static inline int reserve(void *place, size_t *room, size_t need, size_t each)
{
    void *old, *grown;
    if (need <= *room)
        return 1;
    size_t want = *room + *room / 2 + 1024;
    if (want < need)
        want = need;
    if (want > SIZE_MAX / each)
        return 0;
    memcpy(&old, place, sizeof old);
    grown = realloc(old, want * each);
    if (!grown)
        return 0;
    memcpy(place, &grown, sizeof grown);
    *room = want;
    return 1;
}

#endif
