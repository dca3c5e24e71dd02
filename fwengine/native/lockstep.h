/* The lock-step walk, which all engines share: up to 64 packets go down a tree together, level by level, so that their
 * memory accesses overlap; then each is compared with the eight rules of its leaf at once. An engine gives it the
 * steps, in the instructions of its processors.
 */
#ifndef FWK_LOCKSTEP_H
#define FWK_LOCKSTEP_H

#include "classifier.h"

/* An engine's walks: for IPv4, IPv6, and IPv6 whose nodes ask for any word; for tables that are near (in the processor's
 * own cache) and far. */
typedef fwk_run fwk_walks[3][2];

extern const fwk_walks fwk_portable, fwk_avx2, fwk_avx512;

/* Where seven answers lead: bit i says that node i of a line (in heap order) went left. */
extern const uint8_t fwk_path[256];

static inline uint32_t lowest_bit(uint32_t m)
{
#if defined(__GNUC__) || defined(__clang__)
    return (uint32_t)__builtin_ctz(m);
#else
    uint32_t i = 0;
    while (!(m >> i & 1))
        i++;
    return i;
#endif
}

/* Out of the hot path: a leaf of several blocks, or matches that must be checked. HITS: (block, row) -> bits of the
 * matching rules. */
#define FOLLOW(NAME, HITS, TARGET)                                                                                    \
    TARGET static uint32_t NAME(const fwk_table *t, const fwk_block *x, const uint32_t *row, uint32_t m)              \
    {                                                                                                                 \
        for (;;) {                                                                                                    \
            for (; m; m &= m - 1) {                                                                                   \
                uint32_t i = lowest_bit(m);                                                                           \
                if (!(x->verify >> i & 1) || fwk_verify(t, t->verified[x->exact][i], row))                            \
                    return x->rule[i];                                                                                \
            }                                                                                                         \
            if (!x->next)                                                                                             \
                return FWK_NONE;                                                                                      \
            x = (const fwk_block *)(t->arena + x->next);                                                              \
            m = HITS(x, row);                                                                                         \
        }                                                                                                             \
    }

/* A packet is named by its place: its number times 4 (IPv4) or 8 (IPv6), so that its reference is that many bytes, and
 * its row eight times as many, from where they begin. */
#define PLACE(words) ((words) / 2)
#define REF(place) ((uint32_t *)((uint8_t *)ref + (place)))
#define ANSWER(place, words) ((uint32_t *)((uint8_t *)out + (place) * 4 / PLACE(words)))
#define ROW(place) ((const uint32_t *)((const uint8_t *)rows + 8 * (size_t)(place)))
#define CHILDREN ((uint32_t)offsetof(fwk_node, child))
#define LISTS (FWK_BATCH + 16) /* a list is written sixteen places at a time */

typedef struct {
    uint32_t live, going; /* packets that this tree may decide; those of them that are at a node yet */
} begun;

/* One engine's walk. ROWS: (batch, rows), columns to rows. BEGIN: (table, tree, batch, rows, out, ref, live, act), the
 * first step: sets references and the two lists of places. STEP: (node, row) -> which child.
 *
 * A level is two loops, one to find places of children and one to fetch them: what a processor has in flight at a time is
 * a number of instructions, and of a shorter chain more packets fit in. */
#define WALK(NAME, ROWS, BEGIN, STEP, HITS, FOLLOWER, WORDS, FAR, TARGET)                                             \
    TARGET static void NAME(const fwk_table *t, const fwk_batch *batch, uint32_t none, uint32_t *out)                 \
    {                                                                                                                 \
        FWK_ALIGN(64) uint32_t rows[FWK_BATCH * WORDS];                                                               \
        FWK_ALIGN(64) uint32_t ref[FWK_BATCH * PLACE(WORDS) / 4], live[LISTS], act[LISTS], next[LISTS];               \
        const uint8_t *const arena = t->arena;                                                                        \
        ROWS(batch, rows);                                                                                            \
        for (uint32_t j = 0; j < batch->count; j++)                                                                   \
            out[j] = none;                                                                                            \
        for (uint32_t k = 0; k < t->trees; k++) {                                                                     \
            const begun lists = BEGIN(t, &t->tree[k], batch, rows, out, ref, live, act);                              \
            uint32_t going = lists.going;                                                                             \
            if (FAR)                                                                                                  \
                for (uint32_t i = 0; i < going; i++)                                                                  \
                    FWK_PREFETCH(arena + *REF(act[i]));                                                               \
            while (going) {                                                                                           \
                uint32_t still = 0;                                                                                   \
                for (uint32_t i = 0; i < going; i++) {                                                                \
                    const uint32_t place = act[i], at = *REF(place) - FWK_NODE;                                       \
                    next[i] = at + CHILDREN + 4 * STEP((const fwk_node *)(arena + at), ROW(place));                   \
                }                                                                                                     \
                for (uint32_t i = 0; i < going; i++) {                                                                \
                    const uint32_t place = act[i];                                                                    \
                    const uint32_t c = *(const uint32_t *)(arena + next[i]);                                          \
                    if (FAR)                                                                                          \
                        FWK_PREFETCH(arena + c);                                                                      \
                    *REF(place) = c;                                                                                  \
                    act[still] = place;                                                                               \
                    still += c & FWK_NODE;                                                                            \
                }                                                                                                     \
                going = still;                                                                                        \
            }                                                                                                         \
            if (FAR)                                                                                                  \
                for (uint32_t i = 0; i < lists.live; i++)                                                             \
                    for (uint32_t line = 1; line < (WORDS == 8 ? 5 : 7); line++)                                      \
                        FWK_PREFETCH(arena + *REF(live[i]) + 64 * line);                                              \
            for (uint32_t i = 0; i < lists.live; i++) {                                                               \
                const uint32_t place = live[i];                                                                       \
                const fwk_block *x = (const fwk_block *)(arena + *REF(place));                                        \
                uint32_t m = HITS(x, ROW(place)), rule = x->rule[lowest_bit(m | 0x100)];                              \
                uint32_t *answer = ANSWER(place, WORDS);                                                              \
                if (FWK_UNLIKELY(x->special && (x->verify || !m)))                                                    \
                    rule = FOLLOWER(t, x, ROW(place), m);                                                             \
                const uint32_t before = *answer;                                                                      \
                *answer = rule < before ? rule : before;                                                              \
            }                                                                                                         \
        }                                                                                                             \
    }

#define WALKS(NAME, ROWS, BEGIN, STEP, HITS, FOLLOWER, WORDS, TARGET)                                                 \
    WALK(NAME##_near, ROWS, BEGIN, STEP, HITS, FOLLOWER, WORDS, 0, TARGET)                                            \
    WALK(NAME##_far, ROWS, BEGIN, STEP, HITS, FOLLOWER, WORDS, 1, TARGET)

#endif
