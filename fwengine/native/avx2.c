/* The engine for x86-64 with AVX2: the first six binary levels for eight packets at once, then a line of the tree (three
 * levels) and the rules of a leaf for one packet at once. */
#include "lockstep.h"

#if FWK_X86
#include <immintrin.h>

#define LEFT(m) RIGHT(~(m))
#define RIGHT(m) (4 * ((m) & 1) + 2 * ((m) >> (1 + ((m) & 1)) & 1) + ((m) >> (3 + 2 * ((m) & 1) + ((m) >> (1 + ((m) & 1)) & 1)) & 1))
#define LEFT4(m) LEFT(m), LEFT((m) + 1), LEFT((m) + 2), LEFT((m) + 3)
#define LEFT16(m) LEFT4(m), LEFT4((m) + 4), LEFT4((m) + 8), LEFT4((m) + 12)
#define LEFT64(m) LEFT16(m), LEFT16((m) + 16), LEFT16((m) + 32), LEFT16((m) + 48)
FWK_ALIGN(64) const uint8_t fwk_path[256] = {LEFT64(0), LEFT64(64), LEFT64(128), LEFT64(192)};

#define AVX2 __attribute__((target("avx2,bmi,popcnt")))
#define SHIFTS _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28)

/* Lanes of `a`, or of `b` where the given bit of `at` is set. */
AVX2 static inline __m256i either_avx2(__m256i a, __m256i b, __m256i at, int bit)
{
    const __m256i chosen = _mm256_slli_epi32(at, 31 - bit);
    return _mm256_castps_si256(_mm256_blendv_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), _mm256_castsi256_ps(chosen)));
}

/* Lanes where a <= b. */
AVX2 static inline __m256i at_most_avx2(__m256i a, __m256i b) { return _mm256_cmpeq_epi32(_mm256_max_epu32(a, b), b); }

AVX2 static inline uint32_t path_avx2(const fwk_node *n, __m256i value)
{
    const __m256i left = at_most_avx2(value, _mm256_load_si256((const __m256i *)n));
    return fwk_path[_mm256_movemask_ps(_mm256_castsi256_ps(left))];
}

AVX2 static inline uint32_t step4_avx2(const fwk_node *n, const uint32_t *row)
{
    __m256i word = _mm256_srlv_epi32(_mm256_set1_epi32((int)n->dims), SHIFTS);
    return path_avx2(n, _mm256_permutevar8x32_epi32(_mm256_load_si256((const __m256i *)row), word));
}

AVX2 static inline uint32_t step6_avx2(const fwk_node *n, const uint32_t *row)
{
    __m256i word = _mm256_srlv_epi32(_mm256_set1_epi32((int)n->dims), SHIFTS);
    __m256i low = _mm256_permutevar8x32_epi32(_mm256_load_si256((const __m256i *)row), word);
    __m256i high = _mm256_permutevar8x32_epi32(_mm256_load_si256((const __m256i *)(row + 8)), word);
    return path_avx2(n, either_avx2(low, high, word, 3));
}

AVX2 static inline __m256i within32_avx2(uint32_t value, const uint32_t *lo, const uint32_t *len)
{
    __m256i x = _mm256_sub_epi32(_mm256_set1_epi32((int)value), _mm256_load_si256((const __m256i *)lo));
    return _mm256_cmpeq_epi32(_mm256_min_epu32(x, _mm256_load_si256((const __m256i *)len)), x);
}

AVX2 static inline __m256i within16_avx2(__m256i x, const uint16_t *lo, const uint16_t *len)
{
    x = _mm256_sub_epi16(x, _mm256_load_si256((const __m256i *)lo));
    return _mm256_cmpeq_epi16(_mm256_min_epu16(x, _mm256_load_si256((const __m256i *)len)), x);
}

/* All words of eight rules: those of the addresses are in `pairs`; the ports and the class begin at `port`. */
AVX2 static inline uint32_t ports_avx2(const fwk_block *x, const uint32_t *port, __m256i pairs)
{
    const __m256i halves = _mm256_setr_epi8(0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 4, 5, 4, 5, 4, 5, 4, 5, 4, 5, 4,
                                            5, 4, 5, 4, 5);
    __m256i both = _mm256_shuffle_epi8(_mm256_set1_epi64x((long long)(port[0] | (uint64_t)port[1] << 32)), halves);
    __m256i m = within16_avx2(both, x->plo, x->plen);
    __m128i y = _mm_sub_epi16(_mm_set1_epi16((short)port[2]), _mm_load_si128((const __m128i *)(x->plo + 16)));
    y = _mm_cmpeq_epi16(_mm_min_epu16(y, _mm_load_si128((const __m128i *)(x->plen + 16))), y);
    y = _mm_and_si128(y, _mm_and_si128(_mm256_castsi256_si128(m), _mm256_extracti128_si256(m, 1)));
    return (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_and_si256(pairs, _mm256_cvtepi16_epi32(y))));
}

AVX2 static inline __m256i pair_avx2(__m256i among, const uint32_t *word, const uint32_t *addr)
{
    among = _mm256_and_si256(among, within32_avx2(word[0], addr, addr + 16));
    return _mm256_and_si256(among, within32_avx2(word[1], addr + 8, addr + 24));
}

AVX2 static inline uint32_t hits4_avx2(const fwk_block *x, const uint32_t *row)
{
    return ports_avx2(x, row + 2, pair_avx2(_mm256_set1_epi32(-1), row, x->addr));
}

AVX2 static inline uint32_t hits6_avx2(const fwk_block *x, const uint32_t *row)
{
    __m256i m = pair_avx2(pair_avx2(_mm256_set1_epi32(-1), row, x->addr), row + 2, x->addr + 32);
    if (x->pairs == 4)
        m = pair_avx2(pair_avx2(m, row + 8, x->addr + 64), row + 10, x->addr + 96);
    return ports_avx2(x, row + 4, m);
}

FOLLOW(follow4_avx2, hits4_avx2, AVX2)
FOLLOW(follow6_avx2, hits6_avx2, AVX2)

AVX2 static inline __m256i widened_avx2(const uint16_t *column)
{
    return _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)column));
}

/* Four columns of eight words become rows of four words, `step` words apart. */
AVX2 static inline void transpose_avx2(__m256i a, __m256i b, __m256i c, __m256i d, uint32_t *row, uint32_t step)
{
    const __m256i ab[2] = {_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b)};
    const __m256i cd[2] = {_mm256_unpacklo_epi32(c, d), _mm256_unpackhi_epi32(c, d)};
#pragma GCC unroll 4
    for (uint32_t i = 0; i < 4; i++, row += step) {
        const __m256i two = i & 1 ? _mm256_unpackhi_epi64(ab[i / 2], cd[i / 2]) : _mm256_unpacklo_epi64(ab[i / 2], cd[i / 2]);
        _mm_store_si128((__m128i *)row, _mm256_castsi256_si128(two));
        _mm_store_si128((__m128i *)(row + 4 * step), _mm256_extracti128_si256(two, 1));
    }
}

AVX2 static inline void rows4_avx2(const fwk_batch *b, uint32_t *rows)
{
    for (uint32_t j = 0; j < b->count; j += 8) {
        transpose_avx2(_mm256_loadu_si256((const __m256i *)(b->src + j)), _mm256_loadu_si256((const __m256i *)(b->dst + j)),
                       widened_avx2(b->sport + j), widened_avx2(b->dport + j), rows + 8 * j, 8);
        for (uint32_t i = j; i < j + 8; i++)
            _mm_store_si128((__m128i *)(rows + 8 * i + 4), _mm_cvtsi32_si128(b->meta[i]));
    }
}

/* The addresses of two packets, as words in rows of sixteen: the upper halves of both, then the lower ones. */
AVX2 static inline void two_addresses(const uint8_t *src, const uint8_t *dst, uint32_t *row)
{
    const __m256i swap = _mm256_broadcastsi128_si256(_mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
    const __m256i x = _mm256_shuffle_epi8(_mm256_loadu_si256((const __m256i *)src), swap);
    const __m256i y = _mm256_shuffle_epi8(_mm256_loadu_si256((const __m256i *)dst), swap);
    const __m256i upper = _mm256_unpacklo_epi64(x, y), lower = _mm256_unpackhi_epi64(x, y);
    _mm_store_si128((__m128i *)row, _mm256_castsi256_si128(upper));
    _mm_store_si128((__m128i *)(row + 8), _mm256_castsi256_si128(lower));
    _mm_store_si128((__m128i *)(row + 16), _mm256_extracti128_si256(upper, 1));
    _mm_store_si128((__m128i *)(row + 24), _mm256_extracti128_si256(lower, 1));
}

AVX2 static inline void rows6_avx2(const fwk_batch *b, uint32_t *rows)
{
    for (uint32_t j = 0; j < b->count; j += 8) {
        for (uint32_t i = j; i < j + 8; i += 2)
            two_addresses(b->src6 + 16 * i, b->dst6 + 16 * i, rows + 16 * i);
        transpose_avx2(widened_avx2(b->sport + j), widened_avx2(b->dport + j), widened_avx2(b->meta + j),
                       _mm256_setzero_si256(), rows + 16 * j + 4, 16);
    }
}

AVX2 static inline __m256i look_up_avx2(const uint32_t *table, __m256i at, int level)
{
    const __m256i *eight = (const __m256i *)table;
    __m256i low = _mm256_permutevar8x32_epi32(_mm256_load_si256(eight), at);
    if (level > 3)
        low = either_avx2(low, _mm256_permutevar8x32_epi32(_mm256_load_si256(eight + 1), at), at, 3);
    if (level > 4) {
        __m256i high = _mm256_permutevar8x32_epi32(_mm256_load_si256(eight + 2), at);
        high = either_avx2(high, _mm256_permutevar8x32_epi32(_mm256_load_si256(eight + 3), at), at, 3);
        low = either_avx2(low, high, at, 4);
    }
    return low;
}

#define SIDE 2 /* groups of eight packets */

/* The word that each packet's node asks for. */
AVX2 static inline void asked_avx2(const fwk_top *top, int level, const __m256i *at, const __m256i (*word)[FWK_PLACES], __m256i *value)
{
    const uint8_t *words = top->words[level];
    __m256i pick[SIDE];
#pragma GCC unroll 4
    for (int g = 0; g < SIDE; g++)
        value[g] = word[g][words[0]];
    if (top->count[level] == 1)
        return;
#pragma GCC unroll 4
    for (int g = 0; g < SIDE; g++)
        pick[g] = look_up_avx2(top->pick[level], at[g], level);
    for (int i = 1; i < top->count[level]; i++)
#pragma GCC unroll 4
        for (int g = 0; g < SIDE; g++) {
            value[g] = _mm256_castps_si256(_mm256_blendv_ps(_mm256_castsi256_ps(value[g]), _mm256_castsi256_ps(word[g][words[i]]),
                                                            _mm256_castsi256_ps(pick[g])));
            pick[g] = _mm256_add_epi32(pick[g], pick[g]);
        }
}

/* Six binary levels for some groups of eight packets, whose words are in columns: side by side, as each step waits for
 * the one before. */
AVX2 static inline void descend_avx2(const fwk_top *top, const __m256i (*word)[FWK_PLACES], __m256i *found)
{
    __m256i at[SIDE];
    for (int g = 0; g < SIDE; g++)
        at[g] = _mm256_setzero_si256();
#pragma GCC unroll 6
    for (int level = 0; level < FWK_TOP; level++) {
        __m256i value[SIDE];
        asked_avx2(top, level, at, word, value);
#pragma GCC unroll 4
        for (int g = 0; g < SIDE; g++) {
            const __m256i left = at_most_avx2(value[g], look_up_avx2(top->thr[level], at[g], level));
            at[g] = _mm256_sub_epi32(_mm256_add_epi32(at[g], at[g]), left);
        }
    }
#pragma GCC unroll 4
    for (int g = 0; g < SIDE; g++)
        found[g] = either_avx2(look_up_avx2(top->child, at[g], 5), look_up_avx2(top->child + 32, at[g], 5), at[g], 5);
}

/* The numbers of the bits that are set in a byte, in order, a byte each. */
#define BELOW(m, b) (((m) & 1 & ((1 << (b)) - 1)) + ((m) >> 1 & 1 & ((1 << (b)) - 1) >> 1) + ((m) >> 2 & 1 & ((1 << (b)) - 1) >> 2) + \
                     ((m) >> 3 & 1 & ((1 << (b)) - 1) >> 3) + ((m) >> 4 & 1 & ((1 << (b)) - 1) >> 4) + \
                     ((m) >> 5 & 1 & ((1 << (b)) - 1) >> 5) + ((m) >> 6 & 1 & ((1 << (b)) - 1) >> 6))
#define SET(m, b) ((uint64_t)((m) >> (b) & 1) * (b) << 8 * BELOW(m, b))
#define SETS(m) (SET(m, 1) | SET(m, 2) | SET(m, 3) | SET(m, 4) | SET(m, 5) | SET(m, 6) | SET(m, 7))
#define SETS4(m) SETS(m), SETS((m) + 1), SETS((m) + 2), SETS((m) + 3)
#define SETS16(m) SETS4(m), SETS4((m) + 4), SETS4((m) + 8), SETS4((m) + 12)
#define SETS64(m) SETS16(m), SETS16((m) + 16), SETS16((m) + 32), SETS16((m) + 48)
FWK_ALIGN(64) static const uint64_t bits_set[256] = {SETS64(0), SETS64(64), SETS64(128), SETS64(192)};

/* Appends the chosen ones of eight places, from `first` on and 1 << shift apart, to a list. */
AVX2 static inline uint32_t append_avx2(uint32_t *list, uint32_t n, uint32_t chosen, uint32_t first, int shift)
{
    __m256i places = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)&bits_set[chosen]));
    places = _mm256_add_epi32(_mm256_slli_epi32(places, shift), _mm256_set1_epi32((int)first));
    _mm256_storeu_si256((__m256i *)(list + n), places);
    return n + (uint32_t)_mm_popcnt_u32(chosen);
}

/* Of eight packets those that the tree may still decide. */
AVX2 static inline uint32_t wanted_avx2(const fwk_batch *b, uint32_t j, const uint32_t *out, uint32_t lowest)
{
    uint32_t m = 0;
    if (FWK_LIKELY(b->count >= j + 8))
        return 0xff & ~(uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(at_most_avx2(
                          _mm256_loadu_si256((const __m256i *)(out + j)), _mm256_set1_epi32((int)lowest))));
    for (uint32_t i = j; i < b->count; i++)
        m |= (uint32_t)(out[i] > lowest) << (i - j);
    return m;
}

AVX2 static inline begun begin4_avx2(const fwk_table *t, const fwk_tree *tree, const fwk_batch *b, const uint32_t *out,
                                     uint32_t *ref, uint32_t *live, uint32_t *act)
{
    const fwk_top *top = (const fwk_top *)(t->arena + tree->top);
    begun lists = {0, 0};
    for (uint32_t j = 0; j < b->count; j += 8 * SIDE) {
        __m256i word[SIDE][FWK_PLACES], found[SIDE];
        uint32_t chosen[SIDE], any = 0;
        for (uint32_t g = 0; g < SIDE; g++)
            any |= chosen[g] = wanted_avx2(b, j + 8 * g, out, tree->lowest);
        if (!any)
            continue;
        for (uint32_t g = 0, i = j; g < SIDE; g++, i += 8) {
            word[g][0] = _mm256_loadu_si256((const __m256i *)(b->src + i));
            word[g][1] = _mm256_loadu_si256((const __m256i *)(b->dst + i));
            word[g][2] = widened_avx2(b->sport + i);
            word[g][3] = widened_avx2(b->dport + i);
            word[g][4] = widened_avx2(b->meta + i);
        }
        descend_avx2(top, word, found);
        for (uint32_t g = 0, i = j; g < SIDE; g++, i += 8) {
            _mm256_store_si256((__m256i *)(ref + i), found[g]);
            lists.live = append_avx2(live, lists.live, chosen[g], 4 * i, 2);
            chosen[g] &= (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_slli_epi32(found[g], 31)));
            lists.going = append_avx2(act, lists.going, chosen[g], 4 * i, 2);
        }
    }
    return lists;
}

/* Four words each of eight addresses, as columns at their places. */
AVX2 static inline void columns_avx2(const uint8_t *addresses, __m256i *word)
{
    const __m256i swap = _mm256_broadcastsi128_si256(_mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
    __m256i x[4]; /* packets i and i + 4 */
    for (int i = 0; i < 4; i++) {
        const __m128i *at = (const __m128i *)(addresses + 16 * i);
        x[i] = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(at)), _mm_loadu_si128(at + 4), 1);
        x[i] = _mm256_shuffle_epi8(x[i], swap);
    }
    const __m256i a = _mm256_unpacklo_epi32(x[0], x[1]), b = _mm256_unpacklo_epi32(x[2], x[3]);
    const __m256i c = _mm256_unpackhi_epi32(x[0], x[1]), d = _mm256_unpackhi_epi32(x[2], x[3]);
    word[0] = _mm256_unpacklo_epi64(a, b);
    word[1] = _mm256_unpackhi_epi64(a, b);
    word[8] = _mm256_unpacklo_epi64(c, d);
    word[9] = _mm256_unpackhi_epi64(c, d);
}

AVX2 static inline begun begin6_avx2(const fwk_table *t, const fwk_tree *tree, const fwk_batch *b, const uint32_t *out,
                                     uint32_t *ref, uint32_t *live, uint32_t *act)
{
    const fwk_top *top = (const fwk_top *)(t->arena + tree->top);
    begun lists = {0, 0};
    for (uint32_t j = 0; j < b->count; j += 8 * SIDE) {
        __m256i word[SIDE][FWK_PLACES], found[SIDE];
        uint32_t chosen[SIDE], any = 0;
        for (uint32_t g = 0; g < SIDE; g++)
            any |= chosen[g] = wanted_avx2(b, j + 8 * g, out, tree->lowest);
        if (!any)
            continue;
        for (uint32_t g = 0, i = j; g < SIDE; g++, i += 8) {
            columns_avx2(b->src6 + 16 * i, word[g]);
            columns_avx2(b->dst6 + 16 * i, word[g] + 2);
            word[g][4] = widened_avx2(b->sport + i);
            word[g][5] = widened_avx2(b->dport + i);
            word[g][6] = widened_avx2(b->meta + i);
        }
        descend_avx2(top, word, found);
        for (uint32_t g = 0, i = j; g < SIDE; g++, i += 8) {
            _mm256_store_si256((__m256i *)(ref + 2 * i), _mm256_cvtepu32_epi64(_mm256_castsi256_si128(found[g])));
            _mm256_store_si256((__m256i *)(ref + 2 * i + 8), _mm256_cvtepu32_epi64(_mm256_extracti128_si256(found[g], 1)));
            lists.live = append_avx2(live, lists.live, chosen[g], 8 * i, 3);
            chosen[g] &= (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_slli_epi32(found[g], 31)));
            lists.going = append_avx2(act, lists.going, chosen[g], 8 * i, 3);
        }
    }
    return lists;
}

#define BEGIN4_256(t, tree, batch, rows, out, ref, live, act) begin4_avx2(t, tree, batch, out, ref, live, act)
#define BEGIN6_256(t, tree, batch, rows, out, ref, live, act) begin6_avx2(t, tree, batch, out, ref, live, act)
WALKS(walk4_avx2, rows4_avx2, BEGIN4_256, step4_avx2, hits4_avx2, follow4_avx2, 8, AVX2)
WALKS(walk6_avx2, rows6_avx2, BEGIN6_256, step4_avx2, hits6_avx2, follow6_avx2, 16, AVX2)
WALKS(wide6_avx2, rows6_avx2, BEGIN6_256, step6_avx2, hits6_avx2, follow6_avx2, 16, AVX2)

const fwk_walks fwk_avx2 = {
    {walk4_avx2_near, walk4_avx2_far}, {walk6_avx2_near, walk6_avx2_far}, {wide6_avx2_near, wide6_avx2_far}};
#endif
