/* The lock-step walk: up to 64 packets go down a tree together, level by level, so that their memory accesses overlap;
 * then each is compared with the eight rules of its leaf at once. Three engines with the same results; which are live
 * is asked of the processor at run time.
 */
#include "kernel.h"

#include <string.h>

/* Where seven answers lead: bit i says that node i of a line (in heap order) went right. */
#define PATH(m) (4 * ((m) & 1) + 2 * ((m) >> (1 + ((m) & 1)) & 1) + ((m) >> (3 + 2 * ((m) & 1) + ((m) >> (1 + ((m) & 1)) & 1)) & 1))
#define PATH4(m) PATH(m), PATH((m) + 1), PATH((m) + 2), PATH((m) + 3)
#define PATH16(m) PATH4(m), PATH4((m) + 4), PATH4((m) + 8), PATH4((m) + 12)
#define PATH64(m) PATH16(m), PATH16((m) + 16), PATH16((m) + 32), PATH16((m) + 48)
FWK_ALIGN(64) static const uint8_t path[256] = {PATH64(0), PATH64(64), PATH64(128), PATH64(192)};

/* --- the exact check -------------------------------------------------------------------------------------------- */

static int compare(const uint32_t *a, const uint32_t *b, uint32_t words)
{
    for (uint32_t i = 0; i < words; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return 0;
}

int fwk_verify(const fwk_table *t, uint32_t box, const uint32_t *row)
{
    uint32_t wide = t->dims == 5 ? 1 : 4, word = 0;
    if (box >= t->sets.boxes)
        return 0;
    for (uint32_t axis = 0; axis < 5; axis++) {
        uint32_t width = axis < 2 ? wide : 1;
        const uint32_t *set = t->sets.words + t->sets.offset[5 * (size_t)box + axis];
        uint32_t size = t->sets.offset[5 * (size_t)box + axis + 1] - t->sets.offset[5 * (size_t)box + axis];
        uint32_t lo = 0, hi = size / (2 * width); /* the first interval that ends at or behind the value */
        while (lo < hi) {
            uint32_t middle = (lo + hi) / 2;
            if (compare(set + (2 * (size_t)middle + 1) * width, row + word, width) < 0)
                lo = middle + 1;
            else
                hi = middle;
        }
        if (lo == size / (2 * width) || compare(set + 2 * (size_t)lo * width, row + word, width) > 0)
            return 0;
        word += width;
    }
    return 1;
}

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

/* One engine's walk. ROWS: (batch, rows), columns to rows. ENTER: (table, tree, batch, rows, ref), the first step, sets
 * all references. STEP: (node, row) -> child. */
#define WALK(NAME, ROWS, ENTER, STEP, HITS, FOLLOWER, WORDS, FAR, TARGET)                                             \
    TARGET static void NAME(const fwk_table *t, const fwk_batch *batch, uint32_t none, uint32_t *out)                 \
    {                                                                                                                 \
        FWK_ALIGN(64) uint32_t rows[FWK_BATCH * WORDS];                                                               \
        FWK_ALIGN(64) uint32_t ref[FWK_BATCH];                                                                        \
        uint8_t live[FWK_BATCH], act[FWK_BATCH];                                                                      \
        const uint8_t *arena = t->arena;                                                                              \
        const uint32_t count = batch->count;                                                                          \
        ROWS(batch, rows);                                                                                            \
        for (uint32_t j = 0; j < count; j++)                                                                          \
            out[j] = none;                                                                                            \
        for (uint32_t k = 0; k < t->trees; k++) {                                                                     \
            uint32_t lowest = t->tree[k].lowest, n = 0, a = 0;                                                        \
            ENTER(t, &t->tree[k], batch, rows, ref);                                                                  \
            for (uint32_t j = 0; j < count; j++) {                                                                    \
                uint32_t wanted = out[j] > lowest;                                                                    \
                live[n] = act[a] = (uint8_t)j;                                                                        \
                n += wanted;                                                                                          \
                a += wanted & ~ref[j];                                                                                \
            }                                                                                                         \
            while (a) {                                                                                               \
                uint32_t still = 0;                                                                                   \
                for (uint32_t i = 0; i < a; i++) {                                                                    \
                    uint32_t j = act[i];                                                                              \
                    uint32_t c = STEP((const fwk_node *)(arena + ref[j]), rows + WORDS * j);                          \
                    if (FAR)                                                                                          \
                        FWK_PREFETCH(arena + c);                                                                      \
                    ref[j] = c;                                                                                       \
                    act[still] = (uint8_t)j;                                                                          \
                    still += ~c & FWK_LEAF;                                                                           \
                }                                                                                                     \
                a = still;                                                                                            \
            }                                                                                                         \
            if (FAR)                                                                                                  \
                for (uint32_t i = 0; i < n; i++) {                                                                    \
                    const uint8_t *x = arena + ref[live[i]];                                                          \
                    for (uint32_t line = 1; line < (WORDS == 8 ? 5 : 7); line++)                                      \
                        FWK_PREFETCH(x + 64 * line);                                                                  \
                }                                                                                                     \
            for (uint32_t i = 0; i < n; i++) {                                                                        \
                uint32_t j = live[i];                                                                                 \
                const fwk_block *x = (const fwk_block *)(arena + ref[j] - FWK_LEAF);                                  \
                uint32_t m = HITS(x, rows + WORDS * j), rule = x->rule[lowest_bit(m | 0x100)];                        \
                if (FWK_UNLIKELY(x->special && (x->verify || !m)))                                                    \
                    rule = FOLLOWER(t, x, rows + WORDS * j, m);                                                       \
                out[j] = rule < out[j] ? rule : out[j];                                                               \
            }                                                                                                         \
        }                                                                                                             \
    }

#define WALKS(NAME, ROWS, ENTER, STEP, HITS, FOLLOWER, WORDS, TARGET)                                                 \
    WALK(NAME##_near, ROWS, ENTER, STEP, HITS, FOLLOWER, WORDS, 0, TARGET)                                            \
    WALK(NAME##_far, ROWS, ENTER, STEP, HITS, FOLLOWER, WORDS, 1, TARGET)

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
            row[k] = big_endian(b->src6 + 16 * j + 4 * k);
            row[4 + k] = big_endian(b->dst6 + 16 * j + 4 * k);
        }
        row[8] = b->sport[j];
        row[9] = b->dport[j];
        row[10] = b->meta[j];
        for (uint32_t k = 11; k < 16; k++)
            row[k] = 0;
    }
}

static inline void enter_portable(const fwk_table *t, const fwk_tree *tree, const fwk_batch *b, const uint32_t *rows,
                                  uint32_t *ref)
{
    (void)t;
    (void)rows;
    for (uint32_t j = 0; j < b->count; j++)
        ref[j] = tree->root;
}

/* --- portable --------------------------------------------------------------------------------------------------- */

static inline uint32_t step_portable(const fwk_node *n, const uint32_t *row)
{
    uint32_t i = 0;
    i = 1 + (row[n->dims & 15] > n->thr[0]);
    i = 2 * i + 1 + (row[n->dims >> 4 * i & 15] > n->thr[i]);
    i = 2 * i + 1 + (row[n->dims >> 4 * i & 15] > n->thr[i]);
    return n->child[i - 7];
}

static inline uint32_t hits_portable(const fwk_block *x, const uint32_t *row, uint32_t dims)
{
    uint32_t m = 0;
    uint16_t port[3];
    for (int k = 0; k < 3; k++)
        port[k] = (uint16_t)row[dims - 3 + k];
    for (int i = 0; i < 8; i++) {
        uint32_t all = 1;
        for (int k = 0; k < 3; k++)
            all &= (uint16_t)(port[k] - x->plo[8 * k + i]) <= x->plen[8 * k + i];
        for (uint32_t q = 0; q < x->pairs; q++)
            for (uint32_t h = 0; h < 2; h++) {
                uint32_t word = dims == 5 ? h : (q & 1) * 4 + (q >> 1) * 2 + h;
                all &= row[word] - x->addr[32 * q + 8 * h + i] <= x->addr[32 * q + 16 + 8 * h + i];
            }
        m |= all << i;
    }
    return m;
}

static inline uint32_t hits4_portable(const fwk_block *x, const uint32_t *row) { return hits_portable(x, row, 5); }
static inline uint32_t hits6_portable(const fwk_block *x, const uint32_t *row) { return hits_portable(x, row, 11); }

FOLLOW(follow4_portable, hits4_portable, )
FOLLOW(follow6_portable, hits6_portable, )
WALKS(walk4_portable, rows4_portable, enter_portable, step_portable, hits4_portable, follow4_portable, 8, )
WALKS(walk6_portable, rows6_portable, enter_portable, step_portable, hits6_portable, follow6_portable, 16, )

#if FWK_X86
#include <immintrin.h>

/* --- AVX2 ------------------------------------------------------------------------------------------------------- */

#define AVX2 __attribute__((target("avx2,bmi,popcnt")))
#define SHIFTS _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28)

AVX2 static inline uint32_t above_avx2(__m256i value, __m256i thr)
{
    const __m256i sign = _mm256_set1_epi32((int)0x80000000u);
    __m256i above = _mm256_cmpgt_epi32(_mm256_xor_si256(value, sign), _mm256_xor_si256(thr, sign));
    return (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(above));
}

AVX2 static inline uint32_t step4_avx2(const fwk_node *n, const uint32_t *row)
{
    __m256i word = _mm256_srlv_epi32(_mm256_set1_epi32((int)n->dims), SHIFTS);
    __m256i value = _mm256_permutevar8x32_epi32(_mm256_load_si256((const __m256i *)row), word);
    return n->child[path[above_avx2(value, _mm256_load_si256((const __m256i *)n))]];
}

AVX2 static inline uint32_t step6_avx2(const fwk_node *n, const uint32_t *row)
{
    __m256i word = _mm256_srlv_epi32(_mm256_set1_epi32((int)n->dims), SHIFTS);
    __m256i low = _mm256_permutevar8x32_epi32(_mm256_load_si256((const __m256i *)row), word);
    __m256i high = _mm256_permutevar8x32_epi32(_mm256_load_si256((const __m256i *)(row + 8)), word);
    __m256i pick = _mm256_slli_epi32(word, 28); /* bit 3 of the index to the sign */
    __m256i value = _mm256_castps_si256(
        _mm256_blendv_ps(_mm256_castsi256_ps(low), _mm256_castsi256_ps(high), _mm256_castsi256_ps(pick)));
    return n->child[path[above_avx2(value, _mm256_load_si256((const __m256i *)n))]];
}

AVX2 static inline __m256i within32_avx2(uint32_t value, const uint32_t *lo, const uint32_t *len)
{
    __m256i x = _mm256_sub_epi32(_mm256_set1_epi32((int)value), _mm256_load_si256((const __m256i *)lo));
    return _mm256_cmpeq_epi32(_mm256_min_epu32(x, _mm256_load_si256((const __m256i *)len)), x);
}

AVX2 static inline __m128i within16_avx2(uint32_t value, const uint16_t *lo, const uint16_t *len)
{
    __m128i x = _mm_sub_epi16(_mm_set1_epi16((short)value), _mm_load_si128((const __m128i *)lo));
    return _mm_cmpeq_epi16(_mm_min_epu16(x, _mm_load_si128((const __m128i *)len)), x);
}

AVX2 static inline uint32_t ports_avx2(const fwk_block *x, const uint32_t *port)
{
    __m128i m = _mm_and_si128(within16_avx2(port[0], x->plo, x->plen), within16_avx2(port[1], x->plo + 8, x->plen + 8));
    m = _mm_and_si128(m, within16_avx2(port[2], x->plo + 16, x->plen + 16));
    return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(m, _mm_setzero_si128()));
}

AVX2 static inline uint32_t hits4_avx2(const fwk_block *x, const uint32_t *row)
{
    __m256i m = _mm256_and_si256(within32_avx2(row[0], x->addr, x->addr + 16),
                                 within32_avx2(row[1], x->addr + 8, x->addr + 24));
    return (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(m)) & ports_avx2(x, row + 2);
}

AVX2 static inline uint32_t hits6_avx2(const fwk_block *x, const uint32_t *row)
{
    __m256i m = _mm256_set1_epi32(-1);
    for (uint32_t q = 0; q < x->pairs; q++) {
        const uint32_t *addr = x->addr + 32 * q, *word = row + (q & 1) * 4 + (q >> 1) * 2;
        m = _mm256_and_si256(m, within32_avx2(word[0], addr, addr + 16));
        m = _mm256_and_si256(m, within32_avx2(word[1], addr + 8, addr + 24));
    }
    return (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(m)) & ports_avx2(x, row + 8);
}

FOLLOW(follow4_avx2, hits4_avx2, AVX2)
FOLLOW(follow6_avx2, hits6_avx2, AVX2)
WALKS(walk4_avx2, rows4_portable, enter_portable, step4_avx2, hits4_avx2, follow4_avx2, 8, AVX2)
WALKS(walk6_avx2, rows6_portable, enter_portable, step6_avx2, hits6_avx2, follow6_avx2, 16, AVX2)

/* --- AVX-512 ---------------------------------------------------------------------------------------------------- */

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,bmi,popcnt")))

AVX512 static inline uint32_t step4_avx512(const fwk_node *n, const uint32_t *row)
{
    __m256i word = _mm256_srlv_epi32(_mm256_set1_epi32((int)n->dims), SHIFTS);
    __m256i value = _mm256_permutevar8x32_epi32(_mm256_load_si256((const __m256i *)row), word);
    return n->child[path[_mm256_cmpgt_epu32_mask(value, _mm256_load_si256((const __m256i *)n))]];
}

AVX512 static inline uint32_t step6_avx512(const fwk_node *n, const uint32_t *row)
{
    __m256i word = _mm256_srlv_epi32(_mm256_set1_epi32((int)n->dims), SHIFTS);
    __m512i value = _mm512_permutexvar_epi32(_mm512_castsi256_si512(word), _mm512_load_si512(row));
    return n->child[path[_mm256_cmpgt_epu32_mask(_mm512_castsi512_si256(value), _mm256_load_si256((const __m256i *)n))]];
}

/* Two words of eight each, spread over sixteen lanes. */
AVX512 static inline __m512i two_words(int a, int b)
{
    return _mm512_inserti64x4(_mm512_set1_epi32(a), _mm256_set1_epi32(b), 1);
}

/* Three half words of eight each (and the third again). */
AVX512 static inline __m512i three_halves(int a, int b, int c)
{
    __m512i x = _mm512_inserti32x4(_mm512_set1_epi16((short)c), _mm_set1_epi16((short)a), 0);
    return _mm512_inserti32x4(x, _mm_set1_epi16((short)b), 1);
}

AVX512 static inline uint32_t pair_avx512(__m512i row, __m512i words, const uint32_t *addr)
{
    __m512i x = _mm512_sub_epi32(_mm512_permutexvar_epi32(words, row), _mm512_load_si512(addr));
    return _mm512_cmple_epu32_mask(x, _mm512_load_si512(addr + 16));
}

AVX512 static inline uint32_t ports_avx512(__m512i row, __m512i halves, const fwk_block *x)
{
    __m512i y = _mm512_sub_epi16(_mm512_permutexvar_epi16(halves, row), _mm512_load_si512(x->plo));
    return _mm512_cmple_epu16_mask(y, _mm512_load_si512(x->plen));
}

AVX512 static inline uint32_t hits4_avx512(const fwk_block *x, const uint32_t *row)
{
    __m512i packet = _mm512_castsi256_si512(_mm256_load_si256((const __m256i *)row));
    uint32_t a = pair_avx512(packet, two_words(0, 1), x->addr);
    uint32_t p = ports_avx512(packet, three_halves(4, 6, 8), x);
    a &= p & a >> 8;
    return a & p >> 8 & p >> 16 & 0xff;
}

AVX512 static inline uint32_t hits6_avx512(const fwk_block *x, const uint32_t *row)
{
    __m512i packet = _mm512_load_si512(row);
    uint32_t a = pair_avx512(packet, two_words(0, 1), x->addr) & pair_avx512(packet, two_words(4, 5), x->addr + 32);
    uint32_t p = ports_avx512(packet, three_halves(16, 18, 20), x);
    if (x->pairs == 4)
        a &= pair_avx512(packet, two_words(2, 3), x->addr + 64) & pair_avx512(packet, two_words(6, 7), x->addr + 96);
    a &= p & a >> 8;
    return a & p >> 8 & p >> 16 & 0xff;
}

FOLLOW(follow4_avx512, hits4_avx512, AVX512)
FOLLOW(follow6_avx512, hits6_avx512, AVX512)
/* Columns to rows, sixteen packets at a time: transposed within each group of four. */
AVX512 static inline void rows4_avx512(const fwk_batch *b, uint32_t *rows)
{
    for (uint32_t j = 0; j < b->count; j += 16) {
        __m512i s = _mm512_loadu_si512(b->src + j), d = _mm512_loadu_si512(b->dst + j);
        __m512i p = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(b->sport + j)));
        __m512i q = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(b->dport + j)));
        __m512i sd = _mm512_unpacklo_epi32(s, d), pq = _mm512_unpacklo_epi32(p, q), part[4];
        part[0] = _mm512_unpacklo_epi64(sd, pq);
        part[1] = _mm512_unpackhi_epi64(sd, pq);
        sd = _mm512_unpackhi_epi32(s, d);
        pq = _mm512_unpackhi_epi32(p, q);
        part[2] = _mm512_unpacklo_epi64(sd, pq);
        part[3] = _mm512_unpackhi_epi64(sd, pq);
        for (uint32_t i = 0; i < 4; i++) {
            uint32_t *row = rows + 8 * (j + i);
            _mm_store_si128((__m128i *)row, _mm512_castsi512_si128(part[i]));
            _mm_store_si128((__m128i *)(row + 32), _mm512_extracti32x4_epi32(part[i], 1));
            _mm_store_si128((__m128i *)(row + 64), _mm512_extracti32x4_epi32(part[i], 2));
            _mm_store_si128((__m128i *)(row + 96), _mm512_extracti32x4_epi32(part[i], 3));
        }
        for (uint32_t i = 0; i < 16; i++)
            _mm_store_si128((__m128i *)(rows + 8 * (j + i) + 4), _mm_cvtsi32_si128(b->meta[j + i]));
    }
}

AVX512 static inline void rows6_avx512(const fwk_batch *b, uint32_t *rows)
{
    const __m256i swap = _mm256_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12, 3, 2, 1, 0, 7, 6, 5, 4,
                                          11, 10, 9, 8, 15, 14, 13, 12);
    for (uint32_t j = 0; j < b->count; j++) {
        __m256i both = _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(b->src6 + 16 * j)));
        both = _mm256_inserti128_si256(both, _mm_loadu_si128((const __m128i *)(b->dst6 + 16 * j)), 1);
        _mm256_store_si256((__m256i *)(rows + 16 * j), _mm256_shuffle_epi8(both, swap));
        _mm256_store_si256((__m256i *)(rows + 16 * j + 8),
                           _mm256_setr_epi32(b->sport[j], b->dport[j], b->meta[j], 0, 0, 0, 0, 0));
    }
}

AVX512 static inline __m512i look_up(const uint32_t *table, __m512i at, int level)
{
    if (level < 5)
        return _mm512_permutexvar_epi32(at, _mm512_load_si512(table));
    return _mm512_permutex2var_epi32(_mm512_load_si512(table), at, _mm512_load_si512(table + 16));
}

AVX512 static inline __m512i leave_top(const fwk_top *top, __m512i at)
{
    __m512i low = _mm512_permutex2var_epi32(_mm512_load_si512(top->child), at, _mm512_load_si512(top->child + 16));
    __m512i high = _mm512_permutex2var_epi32(_mm512_load_si512(top->child + 32), at, _mm512_load_si512(top->child + 48));
    return _mm512_mask_mov_epi32(low, _mm512_test_epi32_mask(at, _mm512_set1_epi32(32)), high);
}

/* Six binary levels for sixteen packets at a time, from the columns. */
AVX512 static inline void enter4_avx512(const fwk_table *t, const fwk_tree *tree, const fwk_batch *b,
                                        const uint32_t *rows, uint32_t *ref)
{
    const fwk_top *top = (const fwk_top *)(t->arena + tree->top);
    (void)rows;
    for (uint32_t j = 0; j < b->count; j += 16) {
        __m512i word[5], at = _mm512_setzero_si512();
        word[0] = _mm512_loadu_si512(b->src + j);
        word[1] = _mm512_loadu_si512(b->dst + j);
        word[2] = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(b->sport + j)));
        word[3] = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(b->dport + j)));
        word[4] = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(b->meta + j)));
#pragma GCC unroll 6
        for (int level = 0; level < FWK_TOP; level++) {
            __m512i dim = look_up(top->dim[level], at, level), value = word[0];
#pragma GCC unroll 4
            for (int w = 1; w < 5; w++)
                if (top->used[level] >> w & 1)
                    value = _mm512_mask_mov_epi32(value, _mm512_cmpeq_epi32_mask(dim, _mm512_set1_epi32(w)), word[w]);
            __mmask16 right = _mm512_cmpgt_epu32_mask(value, look_up(top->thr[level], at, level));
            at = _mm512_add_epi32(at, at);
            at = _mm512_mask_add_epi32(at, right, at, _mm512_set1_epi32(1));
        }
        _mm512_store_si512(ref + j, leave_top(top, at));
    }
}

/* The same for IPv6, whose words are gathered from the rows. */
AVX512 static inline void enter6_avx512(const fwk_table *t, const fwk_tree *tree, const fwk_batch *b,
                                        const uint32_t *rows, uint32_t *ref)
{
    const fwk_top *top = (const fwk_top *)(t->arena + tree->top);
    const __m512i lane = _mm512_slli_epi32(
        _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), 4);
    for (uint32_t j = 0; j < b->count; j += 16) {
        __m512i at = _mm512_setzero_si512();
#pragma GCC unroll 6
        for (int level = 0; level < FWK_TOP; level++) {
            __m512i dim = look_up(top->dim[level], at, level);
            __m512i value = _mm512_i32gather_epi32(_mm512_add_epi32(dim, lane), (const void *)(rows + 16 * j), 4);
            __mmask16 right = _mm512_cmpgt_epu32_mask(value, look_up(top->thr[level], at, level));
            at = _mm512_add_epi32(at, at);
            at = _mm512_mask_add_epi32(at, right, at, _mm512_set1_epi32(1));
        }
        _mm512_store_si512(ref + j, leave_top(top, at));
    }
}

WALKS(walk4_avx512, rows4_avx512, enter4_avx512, step4_avx512, hits4_avx512, follow4_avx512, 8, AVX512)
WALKS(walk6_avx512, rows6_avx512, enter6_avx512, step6_avx512, hits6_avx512, follow6_avx512, 16, AVX512)
#endif

int fwk_engine_live(int engine)
{
    if (engine == FWK_PORTABLE)
        return 1;
#if FWK_X86
    if (engine == FWK_AVX2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt");
    if (engine == FWK_AVX512)
        return fwk_engine_live(FWK_AVX2) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
#endif
    return 0;
}

fwk_run fwk_engine(int engine, const fwk_table *t)
{
    static const fwk_run run[FWK_ENGINES][2][2] = {
        {{walk4_portable_near, walk4_portable_far}, {walk6_portable_near, walk6_portable_far}},
#if FWK_X86
        {{walk4_avx2_near, walk4_avx2_far}, {walk6_avx2_near, walk6_avx2_far}},
        {{walk4_avx512_near, walk4_avx512_far}, {walk6_avx512_near, walk6_avx512_far}},
#endif
    };
    int which = fwk_engine_live(engine) ? engine : FWK_PORTABLE;
    return run[which][t->dims != 5][t->lines > 4096];
}
