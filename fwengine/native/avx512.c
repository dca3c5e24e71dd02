/* The engine for x86-64 with AVX-512: as with AVX2, sixteen packets at once and fewer steps to a leaf. */
#include "lockstep.h"

#if FWK_X86
#ifdef FWK_EMULATED /* tests, on a processor that lacks it: the intrinsics as functions */
#include FWK_EMULATED
#define AVX512
#else
#include <immintrin.h>
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,bmi,popcnt")))
#endif

#define SHIFTS _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28)

AVX512 static inline uint32_t step4_avx512(const fwk_node *n, const uint32_t *row)
{
    __m256i word = _mm256_srlv_epi32(_mm256_set1_epi32((int)n->dims), SHIFTS);
    __m256i value = _mm256_permutevar8x32_epi32(_mm256_load_si256((const __m256i *)row), word);
    return fwk_path[_mm256_cmple_epu32_mask(value, _mm256_load_si256((const __m256i *)n))];
}

AVX512 static inline uint32_t step6_avx512(const fwk_node *n, const uint32_t *row)
{
    __m256i word = _mm256_srlv_epi32(_mm256_set1_epi32((int)n->dims), SHIFTS);
    __m512i value = _mm512_permutexvar_epi32(_mm512_castsi256_si512(word), _mm512_load_si512(row));
    const __m256i thr = _mm256_load_si256((const __m256i *)n);
    return fwk_path[_mm256_cmple_epu32_mask(_mm512_castsi512_si256(value), thr)];
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

AVX512 static inline __mmask16 pair_avx512(__mmask16 among, __m512i row, __m512i words, const uint32_t *addr)
{
    __m512i x = _mm512_sub_epi32(_mm512_permutexvar_epi32(words, row), _mm512_load_si512(addr));
    return _mm512_mask_cmple_epu32_mask(among, x, _mm512_load_si512(addr + 16));
}

/* The matches of all words, given those of the two halves of the addresses. */
AVX512 static inline uint32_t ports_avx512(__mmask16 pairs, __m512i row, __m512i halves, const fwk_block *x)
{
    __mmask32 among = _mm512_kunpackw(0xffff, pairs); /* sport with the one half, dport with the other, meta alone */
    __m512i y = _mm512_sub_epi16(_mm512_permutexvar_epi16(halves, row), _mm512_load_si512(x->plo));
    uint32_t m = _cvtmask32_u32(_mm512_mask_cmple_epu16_mask(among, y, _mm512_load_si512(x->plen)));
    __asm__("" : "+r"(m)); /* in a general register from here on: shifts of masks are slow */
    return m & m >> 8 & m >> 16 & 0xff;
}

AVX512 static inline uint32_t hits4_avx512(const fwk_block *x, const uint32_t *row)
{
    __m512i packet = _mm512_castsi256_si512(_mm256_load_si256((const __m256i *)row));
    return ports_avx512(pair_avx512(0xffff, packet, two_words(0, 1), x->addr), packet, three_halves(4, 6, 8), x);
}

AVX512 static inline uint32_t hits6_avx512(const fwk_block *x, const uint32_t *row)
{
    __m512i packet = _mm512_load_si512(row);
    __mmask16 m = pair_avx512(0xffff, packet, two_words(0, 1), x->addr);
    m = pair_avx512(m, packet, two_words(2, 3), x->addr + 32);
    if (x->pairs == 4) {
        m = pair_avx512(m, packet, two_words(8, 9), x->addr + 64);
        m = pair_avx512(m, packet, two_words(10, 11), x->addr + 96);
    }
    return ports_avx512(m, packet, three_halves(8, 10, 12), x);
}

FOLLOW(follow4_avx512, hits4_avx512, AVX512)
FOLLOW(follow6_avx512, hits6_avx512, AVX512)
/* Four columns of sixteen words become rows of four words, `step` words apart: transposed within groups of four. */
AVX512 static inline void transpose(__m512i a, __m512i b, __m512i c, __m512i d, uint32_t *row, uint32_t step)
{
    const __m512i ab[2] = {_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b)};
    const __m512i cd[2] = {_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d)};
#pragma GCC unroll 4
    for (uint32_t i = 0; i < 4; i++, row += step) {
        const __m512i four = i & 1 ? _mm512_unpackhi_epi64(ab[i / 2], cd[i / 2]) : _mm512_unpacklo_epi64(ab[i / 2], cd[i / 2]);
        _mm_store_si128((__m128i *)row, _mm512_castsi512_si128(four));
        _mm_store_si128((__m128i *)(row + 4 * step), _mm512_extracti32x4_epi32(four, 1));
        _mm_store_si128((__m128i *)(row + 8 * step), _mm512_extracti32x4_epi32(four, 2));
        _mm_store_si128((__m128i *)(row + 12 * step), _mm512_extracti32x4_epi32(four, 3));
    }
}

AVX512 static inline __m512i widened(const uint16_t *column)
{
    return _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)column));
}

AVX512 static inline void rows4_avx512(const fwk_batch *b, uint32_t *rows)
{
    for (uint32_t j = 0; j < b->count; j += 16) {
        transpose(_mm512_loadu_si512(b->src + j), _mm512_loadu_si512(b->dst + j), widened(b->sport + j),
                  widened(b->dport + j), rows + 8 * j, 8);
        for (uint32_t i = 0; i < 16; i++)
            _mm_store_si128((__m128i *)(rows + 8 * (j + i) + 4), _mm_cvtsi32_si128(b->meta[j + i]));
    }
}

/* The addresses of four packets, as words in rows of sixteen: the upper halves of both, then the lower ones. */
AVX512 static inline void four_addresses(const uint8_t *src, const uint8_t *dst, uint32_t *row)
{
    const __m512i swap = _mm512_broadcast_i32x4(_mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
    const __m512i x = _mm512_shuffle_epi8(_mm512_loadu_si512(src), swap), y = _mm512_shuffle_epi8(_mm512_loadu_si512(dst), swap);
    const __m512i half[2] = {_mm512_unpacklo_epi64(x, y), _mm512_unpackhi_epi64(x, y)};
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++, row += 8) {
        _mm_store_si128((__m128i *)row, _mm512_castsi512_si128(half[i]));
        _mm_store_si128((__m128i *)(row + 16), _mm512_extracti32x4_epi32(half[i], 1));
        _mm_store_si128((__m128i *)(row + 32), _mm512_extracti32x4_epi32(half[i], 2));
        _mm_store_si128((__m128i *)(row + 48), _mm512_extracti32x4_epi32(half[i], 3));
    }
}

AVX512 static inline void rows6_avx512(const fwk_batch *b, uint32_t *rows)
{
    for (uint32_t j = 0; j < b->count; j += 16) {
        for (uint32_t i = j; i < j + 16; i += 4)
            four_addresses(b->src6 + 16 * i, b->dst6 + 16 * i, rows + 16 * i);
        transpose(widened(b->sport + j), widened(b->dport + j), widened(b->meta + j), _mm512_setzero_si512(),
                  rows + 16 * j + 4, 16);
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

/* Appends the chosen places of sixteen to a list. */
AVX512 static inline uint32_t append(uint32_t *list, uint32_t n, __mmask16 chosen, __m512i places)
{
    _mm512_storeu_si512(list + n, _mm512_maskz_compress_epi32(chosen, places));
    return n + (uint32_t)_mm_popcnt_u32(chosen);
}

/* Six binary levels for sixteen packets, whose words are in columns. */
AVX512 static inline __m512i descend(const fwk_top *top, const __m512i *word)
{
    __m512i at = _mm512_setzero_si512();
#pragma GCC unroll 6
    for (int level = 0; level < FWK_TOP; level++) {
        __m512i value = word[top->words[level][0]];
        if (top->count[level] > 1) {
            __m512i pick = look_up(top->pick[level], at, level);
            for (int i = 1; i < top->count[level]; i++, pick = _mm512_add_epi32(pick, pick))
                value = _mm512_mask_mov_epi32(value, _mm512_movepi32_mask(pick), word[top->words[level][i]]);
        }
        const __mmask16 left = _mm512_cmple_epu32_mask(value, look_up(top->thr[level], at, level));
        at = _mm512_add_epi32(at, at);
        at = _mm512_mask_add_epi32(at, left, at, _mm512_set1_epi32(1));
    }
    return leave_top(top, at);
}

AVX512 static inline __mmask16 wanted(const fwk_batch *b, uint32_t j, const uint32_t *out, uint32_t lowest)
{
    __mmask16 there = b->count - j < 16 ? (__mmask16)((1u << (b->count - j)) - 1) : (__mmask16)0xffff;
    return _mm512_mask_cmpgt_epu32_mask(there, _mm512_maskz_loadu_epi32(there, out + j), _mm512_set1_epi32((int)lowest));
}

AVX512 static inline begun begin4_avx512(const fwk_table *t, const fwk_tree *tree, const fwk_batch *b,
                                         const uint32_t *out, uint32_t *ref, uint32_t *live, uint32_t *act)
{
    const fwk_top *top = (const fwk_top *)(t->arena + tree->top);
    begun lists = {0, 0};
    for (uint32_t j = 0; j < b->count; j += 16) {
        __mmask16 chosen = wanted(b, j, out, tree->lowest);
        if (!chosen)
            continue;
        __m512i word[5] = {_mm512_loadu_si512(b->src + j), _mm512_loadu_si512(b->dst + j), widened(b->sport + j),
                           widened(b->dport + j), widened(b->meta + j)};
        __m512i found = descend(top, word);
        __m512i places = _mm512_add_epi32(_mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60),
                                          _mm512_set1_epi32((int)(4 * j)));
        _mm512_store_si512(ref + j, found);
        lists.live = append(live, lists.live, chosen, places);
        chosen &= _mm512_test_epi32_mask(found, _mm512_set1_epi32(FWK_NODE));
        lists.going = append(act, lists.going, chosen, places);
    }
    return lists;
}

/* Four words each of sixteen addresses, as columns at their places. */
AVX512 static inline void columns_of(const uint8_t *addresses, __m512i *word)
{
    const __m512i swap = _mm512_broadcast_i32x4(_mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
    __m512i x[4];
    for (int i = 0; i < 4; i++)
        x[i] = _mm512_shuffle_epi8(_mm512_loadu_si512(addresses + 64 * i), swap);
    /* x[i] has packets 4i to 4i+3: first pairs of words of eight packets, then a word of sixteen */
    const __m512i even = _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29);
    const __m512i odd = _mm512_setr_epi32(2, 6, 10, 14, 18, 22, 26, 30, 3, 7, 11, 15, 19, 23, 27, 31);
    __m512i a = _mm512_permutex2var_epi32(x[0], even, x[1]), b = _mm512_permutex2var_epi32(x[2], even, x[3]);
    __m512i c = _mm512_permutex2var_epi32(x[0], odd, x[1]), d = _mm512_permutex2var_epi32(x[2], odd, x[3]);
    word[0] = _mm512_shuffle_i64x2(a, b, 0x44);
    word[1] = _mm512_shuffle_i64x2(a, b, 0xee);
    word[8] = _mm512_shuffle_i64x2(c, d, 0x44);
    word[9] = _mm512_shuffle_i64x2(c, d, 0xee);
}

AVX512 static inline begun begin6_avx512(const fwk_table *t, const fwk_tree *tree, const fwk_batch *b,
                                         const uint32_t *out, uint32_t *ref, uint32_t *live, uint32_t *act)
{
    const fwk_top *top = (const fwk_top *)(t->arena + tree->top);
    begun lists = {0, 0};
    for (uint32_t j = 0; j < b->count; j += 16) {
        __mmask16 chosen = wanted(b, j, out, tree->lowest);
        if (!chosen)
            continue;
        __m512i word[FWK_PLACES];
        columns_of(b->src6 + 16 * j, word);
        columns_of(b->dst6 + 16 * j, word + 2);
        word[4] = widened(b->sport + j);
        word[5] = widened(b->dport + j);
        word[6] = widened(b->meta + j);
        __m512i found = descend(top, word);
        __m512i places = _mm512_add_epi32(
            _mm512_setr_epi32(0, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120), _mm512_set1_epi32((int)(8 * j)));
        _mm512_store_si512(ref + 2 * j, _mm512_cvtepu32_epi64(_mm512_castsi512_si256(found)));
        _mm512_store_si512(ref + 2 * j + 16, _mm512_cvtepu32_epi64(_mm512_extracti64x4_epi64(found, 1)));
        lists.live = append(live, lists.live, chosen, places);
        chosen &= _mm512_test_epi32_mask(found, _mm512_set1_epi32(FWK_NODE));
        lists.going = append(act, lists.going, chosen, places);
    }
    return lists;
}

#define BEGIN4_512(t, tree, batch, rows, out, ref, live, act) begin4_avx512(t, tree, batch, out, ref, live, act)
#define BEGIN6_512(t, tree, batch, rows, out, ref, live, act) begin6_avx512(t, tree, batch, out, ref, live, act)
WALKS(walk4_avx512, rows4_avx512, BEGIN4_512, step4_avx512, hits4_avx512, follow4_avx512, 8, AVX512)
WALKS(walk6_avx512, rows6_avx512, BEGIN6_512, step4_avx512, hits6_avx512, follow6_avx512, 16, AVX512)
WALKS(wide6_avx512, rows6_avx512, BEGIN6_512, step6_avx512, hits6_avx512, follow6_avx512, 16, AVX512)

const fwk_walks fwk_avx512 = {
    {walk4_avx512_near, walk4_avx512_far}, {walk6_avx512_near, walk6_avx512_far}, {wide6_avx512_near, wide6_avx512_far}};
#endif
