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

/* Out of the hot path: a leaf of several blocks, or matches that must be checked. `hits` finds a block's matches. */
#define FOLLOW(NAME, HITS, TARGET)                                                                                    \
    TARGET static uint32_t NAME(const fwk_table *t, const fwk_block *x, const uint32_t *row)                          \
    {                                                                                                                 \
        for (;;) {                                                                                                    \
            uint32_t m = HITS(x, row);                                                                                \
            while (m) {                                                                                               \
                uint32_t i = lowest_bit(m);                                                                           \
                if (!(x->verify >> i & 1) || fwk_verify(t, t->verified[x->exact][i], row))                            \
                    return x->rule[i];                                                                                \
                m &= m - 1;                                                                                           \
            }                                                                                                         \
            if (!x->next)                                                                                             \
                return FWK_NONE;                                                                                      \
            x = (const fwk_block *)(t->arena + (size_t)x->next * 64);                                                 \
        }                                                                                                             \
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

/* One engine's walk. STEP: (node, row) -> child; HITS: (block, row) -> bits of the matching rules. */
#define WALK(NAME, FOLLOWER, STEP, HITS, ROW, TARGET)                                                                 \
    TARGET static void NAME(const fwk_table *t, const uint32_t *rows, uint32_t count, uint32_t *out)                  \
    {                                                                                                                 \
        uint8_t live[FWK_BATCH], act[FWK_BATCH];                                                                      \
        uint32_t ref[FWK_BATCH];                                                                                      \
        const uint8_t *arena = t->arena;                                                                              \
        const int far = t->lines > 4096;                                                                              \
        for (uint32_t j = 0; j < count; j++)                                                                          \
            out[j] = FWK_NONE;                                                                                        \
        for (uint32_t k = 0; k < t->trees; k++) {                                                                     \
            uint32_t lowest = t->tree[k].lowest, root = t->tree[k].root, n = 0, a = 0;                                \
            for (uint32_t j = 0; j < count; j++) {                                                                    \
                live[n] = act[n] = (uint8_t)j;                                                                        \
                ref[j] = root;                                                                                        \
                n += out[j] > lowest;                                                                                 \
            }                                                                                                         \
            a = root & FWK_LEAF ? 0 : n;                                                                              \
            while (a) {                                                                                               \
                uint32_t still = 0;                                                                                   \
                for (uint32_t i = 0; i < a; i++) {                                                                    \
                    uint32_t j = act[i];                                                                              \
                    uint32_t c = STEP((const fwk_node *)(arena + (size_t)ref[j] * 64), rows + ROW * j);               \
                    FWK_PREFETCH(arena + (size_t)(c & ~FWK_LEAF) * 64);                                               \
                    ref[j] = c;                                                                                       \
                    act[still] = (uint8_t)j;                                                                          \
                    still += (c >> 31) ^ 1;                                                                           \
                }                                                                                                     \
                a = still;                                                                                            \
            }                                                                                                         \
            if (far)                                                                                                  \
                for (uint32_t i = 0; i < n; i++) {                                                                    \
                    const uint8_t *x = arena + (size_t)(ref[live[i]] & ~FWK_LEAF) * 64;                               \
                    for (uint32_t line = 1; line < (ROW == 8 ? 5 : 7); line++)                                        \
                        FWK_PREFETCH(x + 64 * line);                                                                  \
                }                                                                                                     \
            for (uint32_t i = 0; i < n; i++) {                                                                        \
                uint32_t j = live[i];                                                                                 \
                const fwk_block *x = (const fwk_block *)(arena + (size_t)(ref[j] & ~FWK_LEAF) * 64);                  \
                uint32_t rule = FWK_UNLIKELY(x->special) ? FOLLOWER(t, x, rows + ROW * j)                             \
                                                         : x->rule[lowest_bit(HITS(x, rows + ROW * j) | 0x100)];      \
                out[j] = rule < out[j] ? rule : out[j];                                                               \
            }                                                                                                         \
        }                                                                                                             \
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
WALK(walk4_portable, follow4_portable, step_portable, hits4_portable, 8, )
WALK(walk6_portable, follow6_portable, step_portable, hits6_portable, 16, )

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
WALK(walk4_avx2, follow4_avx2, step4_avx2, hits4_avx2, 8, AVX2)
WALK(walk6_avx2, follow6_avx2, step6_avx2, hits6_avx2, 16, AVX2)

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
WALK(walk4_avx512, follow4_avx512, step4_avx512, hits4_avx512, 8, AVX512)
WALK(walk6_avx512, follow6_avx512, step6_avx512, hits6_avx512, 16, AVX512)
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

fwk_run fwk_engine(int engine, uint32_t dims)
{
#if FWK_X86
    if (engine == FWK_AVX512)
        return dims == 5 ? walk4_avx512 : walk6_avx512;
    if (engine == FWK_AVX2)
        return dims == 5 ? walk4_avx2 : walk6_avx2;
#endif
    (void)engine;
    return dims == 5 ? walk4_portable : walk6_portable;
}
