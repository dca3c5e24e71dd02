/* The lock-step walk: up to 64 packets go down a tree together, level by level, so that their memory accesses overlap;
 * then each is compared with the eight rules of its leaf at once. Three engines with the same results; which are live
 * is asked of the processor at run time.
 */
#include "kernel.h"

#include <string.h>

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

/* A packet is named by its place: its number times 4 (IPv4) or 8 (IPv6), so that its reference is that many bytes, and
 * its row eight times as many, from where they begin. */
#define PLACE(words) ((words) / 2)
#define REF(place) ((uint32_t *)((uint8_t *)ref + (place)))
#define ROW(place) ((const uint32_t *)((const uint8_t *)rows + 8 * (size_t)(place)))
#define LISTS (FWK_BATCH + 16) /* a list is written sixteen places at a time */

typedef struct {
    uint32_t live, going; /* packets that this tree may decide; those of them that are at a node yet */
} begun;

/* One engine's walk. ROWS: (batch, rows), columns to rows. BEGIN: (table, tree, batch, rows, out, ref, live, act), the
 * first step: sets references and the two lists of places. STEP: (node, row) -> child. */
#define WALK(NAME, ROWS, BEGIN, STEP, HITS, FOLLOWER, WORDS, FAR, TARGET)                                             \
    TARGET static void NAME(const fwk_table *t, const fwk_batch *batch, uint32_t none, uint32_t *out)                 \
    {                                                                                                                 \
        FWK_ALIGN(64) uint32_t rows[FWK_BATCH * WORDS];                                                               \
        FWK_ALIGN(64) uint32_t ref[FWK_BATCH * PLACE(WORDS) / 4], live[LISTS], act[LISTS];                            \
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
                    const uint32_t place = act[i];                                                                    \
                    const uint32_t c = STEP((const fwk_node *)(arena + (*REF(place) - FWK_NODE)), ROW(place));        \
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
                uint32_t *answer = out + place / PLACE(WORDS);                                                        \
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

static inline begun begin_portable(const fwk_tree *tree, uint32_t count, uint32_t size, const uint32_t *out,
                                   uint32_t *ref, uint32_t *live, uint32_t *act)
{
    uint32_t n = 0;
    for (uint32_t j = 0; j < count; j++) {
        const uint32_t place = j * size;
        *REF(place) = tree->root;
        live[n] = act[n] = place;
        n += out[j] > tree->lowest;
    }
    return (begun){n, tree->root & FWK_NODE ? n : 0};
}

#define BEGIN4(t, tree, batch, rows, out, ref, live, act) begin_portable(tree, (batch)->count, 4, out, ref, live, act)
#define BEGIN6(t, tree, batch, rows, out, ref, live, act) begin_portable(tree, (batch)->count, 8, out, ref, live, act)

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
WALKS(walk4_portable, rows4_portable, BEGIN4, step_portable, hits4_portable, follow4_portable, 8, )
WALKS(walk6_portable, rows6_portable, BEGIN6, step_portable, hits6_portable, follow6_portable, 16, )

#if FWK_X86
#include <immintrin.h>

/* Where seven answers lead: bit i says that node i of a line (in heap order) went right. */
#define PATH(m) (4 * ((m) & 1) + 2 * ((m) >> (1 + ((m) & 1)) & 1) + ((m) >> (3 + 2 * ((m) & 1) + ((m) >> (1 + ((m) & 1)) & 1)) & 1))
#define PATH4(m) PATH(m), PATH((m) + 1), PATH((m) + 2), PATH((m) + 3)
#define PATH16(m) PATH4(m), PATH4((m) + 4), PATH4((m) + 8), PATH4((m) + 12)
#define PATH64(m) PATH16(m), PATH16((m) + 16), PATH16((m) + 32), PATH16((m) + 48)
FWK_ALIGN(64) static const uint8_t path[256] = {PATH64(0), PATH64(64), PATH64(128), PATH64(192)};

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
WALKS(walk4_avx2, rows4_portable, BEGIN4, step4_avx2, hits4_avx2, follow4_avx2, 8, AVX2)
WALKS(walk6_avx2, rows6_portable, BEGIN6, step6_avx2, hits6_avx2, follow6_avx2, 16, AVX2)

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
    m = pair_avx512(m, packet, two_words(4, 5), x->addr + 32);
    if (x->pairs == 4) {
        m = pair_avx512(m, packet, two_words(2, 3), x->addr + 64);
        m = pair_avx512(m, packet, two_words(6, 7), x->addr + 96);
    }
    return ports_avx512(m, packet, three_halves(16, 18, 20), x);
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

AVX512 static inline void rows6_avx512(const fwk_batch *b, uint32_t *rows)
{
    const __m128i swap = _mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
    for (uint32_t j = 0; j < b->count; j += 16) {
        for (uint32_t i = j; i < j + 16; i++) {
            const __m128i src = _mm_loadu_si128((const __m128i *)(b->src6 + 16 * i));
            const __m128i dst = _mm_loadu_si128((const __m128i *)(b->dst6 + 16 * i));
            _mm_store_si128((__m128i *)(rows + 16 * i), _mm_shuffle_epi8(src, swap));
            _mm_store_si128((__m128i *)(rows + 16 * i + 4), _mm_shuffle_epi8(dst, swap));
        }
        transpose(widened(b->sport + j), widened(b->dport + j), widened(b->meta + j), _mm512_setzero_si512(),
                  rows + 16 * j + 8, 16);
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
        const __m512i dim = look_up(top->dim[level], at, level);
        uint32_t used = top->used[level];
        __m512i value = word[used ? lowest_bit(used) : 0];
        for (used &= used - 1; used; used &= used - 1) {
            const uint32_t w = lowest_bit(used);
            value = _mm512_mask_mov_epi32(value, _mm512_cmpeq_epi32_mask(dim, _mm512_set1_epi32((int)w)), word[w]);
        }
        __mmask16 right = _mm512_cmpgt_epu32_mask(value, look_up(top->thr[level], at, level));
        at = _mm512_add_epi32(at, at);
        at = _mm512_mask_add_epi32(at, right, at, _mm512_set1_epi32(1));
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

/* Four words each of sixteen addresses, as columns. */
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
    word[2] = _mm512_shuffle_i64x2(c, d, 0x44);
    word[3] = _mm512_shuffle_i64x2(c, d, 0xee);
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
        __m512i word[11];
        columns_of(b->src6 + 16 * j, word);
        columns_of(b->dst6 + 16 * j, word + 4);
        word[8] = widened(b->sport + j);
        word[9] = widened(b->dport + j);
        word[10] = widened(b->meta + j);
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
WALKS(walk6_avx512, rows6_avx512, BEGIN6_512, step6_avx512, hits6_avx512, follow6_avx512, 16, AVX512)
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
