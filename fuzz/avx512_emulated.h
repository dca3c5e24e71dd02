/* AVX-512 on processors without it, so that tests and fuzzers reach that engine everywhere: SIMDe's functions, and what
 * release 0.7.4 lacks or has wrong. Slow; no build that is installed contains it. */
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>

#include <string.h>

#define EMULATED static inline

EMULATED uint32_t emulated_popcount(uint32_t x) { return (uint32_t)__builtin_popcount(x); }

/* Lanes of 32 or 16 bits: mask of those where a compares to b, among k. */
#define EMULATED_COMPARE(NAME, MASK, VECTOR, LANE, LANES, OPERATOR)                                                   \
    EMULATED MASK NAME(MASK k, VECTOR a, VECTOR b)                                                                    \
    {                                                                                                                 \
        LANE x[LANES], y[LANES];                                                                                      \
        uint32_t m = 0;                                                                                               \
        memcpy(x, &a, sizeof x);                                                                                      \
        memcpy(y, &b, sizeof y);                                                                                      \
        for (int i = 0; i < LANES; i++)                                                                               \
            m |= (uint32_t)(x[i] OPERATOR y[i]) << i;                                                                 \
        return (MASK)(m & k);                                                                                         \
    }

EMULATED_COMPARE(emulated_at_most8, simde__mmask8, simde__m256i, uint32_t, 8, <=)
EMULATED_COMPARE(emulated_at_most16, simde__mmask16, simde__m512i, uint32_t, 16, <=)
EMULATED_COMPARE(emulated_at_most32, simde__mmask32, simde__m512i, uint16_t, 32, <=)
EMULATED_COMPARE(emulated_above16, simde__mmask16, simde__m512i, uint32_t, 16, >)

#define EMULATED_WIDEN(NAME, FROM, TO, LANES)                                                                         \
    EMULATED simde__m512i NAME(simde__m256i a)                                                                        \
    {                                                                                                                 \
        FROM x[LANES];                                                                                                \
        TO y[LANES];                                                                                                  \
        simde__m512i result;                                                                                          \
        memcpy(x, &a, sizeof x);                                                                                      \
        for (int i = 0; i < LANES; i++)                                                                               \
            y[i] = x[i];                                                                                              \
        memcpy(&result, y, sizeof y);                                                                                 \
        return result;                                                                                                \
    }

EMULATED_WIDEN(emulated_widen16, uint16_t, uint32_t, 16)
EMULATED_WIDEN(emulated_widen32, uint32_t, uint64_t, 8)

/* SIMDe computes with signed lanes, whose overflow the sanitizer rightly reports. */
#define EMULATED_COMPUTE(NAME, LANE, LANES, OPERATOR)                                                                 \
    EMULATED simde__m512i NAME(simde__m512i a, simde__m512i b)                                                        \
    {                                                                                                                 \
        LANE x[LANES], y[LANES];                                                                                      \
        memcpy(x, &a, sizeof x);                                                                                      \
        memcpy(y, &b, sizeof y);                                                                                      \
        for (int i = 0; i < LANES; i++)                                                                               \
            x[i] = (LANE)(x[i] OPERATOR y[i]);                                                                        \
        memcpy(&a, x, sizeof x);                                                                                      \
        return a;                                                                                                     \
    }

EMULATED_COMPUTE(emulated_add32, uint32_t, 16, +)
EMULATED_COMPUTE(emulated_subtract32, uint32_t, 16, -)
EMULATED_COMPUTE(emulated_subtract16, uint16_t, 32, -)

EMULATED simde__m512i emulated_load(simde__mmask16 k, const void *from)
{
    uint32_t y[16];
    simde__m512i result;
    for (int i = 0; i < 16; i++) /* what is masked out is not read */
        y[i] = k >> i & 1 ? ((const uint32_t *)from)[i] : 0;
    memcpy(&result, y, sizeof y);
    return result;
}

EMULATED simde__m512i emulated_shuffle(simde__m512i a, simde__m512i b, int control)
{
    uint64_t x[8], y[8], z[8];
    simde__m512i result;
    memcpy(x, &a, sizeof x);
    memcpy(y, &b, sizeof y);
    for (int i = 0; i < 8; i++)
        z[i] = (i < 4 ? x : y)[2 * (control >> (i & ~1) & 3) + (i & 1)];
    memcpy(&result, z, sizeof z);
    return result;
}

#undef _mm_popcnt_u32
#undef _mm512_add_epi32
#undef _mm512_sub_epi32
#undef _mm512_sub_epi16
#undef _mm512_mask_add_epi32
#undef _mm512_mask_cmple_epu32_mask
#undef _mm512_mask_cmple_epu16_mask
#define _mm_popcnt_u32 emulated_popcount
#define _mm512_add_epi32 emulated_add32
#define _mm512_sub_epi32 emulated_subtract32
#define _mm512_sub_epi16 emulated_subtract16
#define _mm512_mask_add_epi32(a, k, b, c) _mm512_mask_mov_epi32(a, k, emulated_add32(b, c))
#define _mm256_cmple_epu32_mask(a, b) emulated_at_most8(0xff, a, b)
#define _mm512_mask_cmple_epu32_mask emulated_at_most16
#define _mm512_mask_cmple_epu16_mask emulated_at_most32
#define _mm512_mask_cmpgt_epu32_mask emulated_above16
#define _mm512_cvtepu16_epi32 emulated_widen16
#define _mm512_cvtepu32_epi64 emulated_widen32
#define _mm512_maskz_loadu_epi32 emulated_load
#define _mm512_shuffle_i64x2 emulated_shuffle
#define _mm512_kunpackw(a, b) ((uint32_t)(uint16_t)(a) << 16 | (uint16_t)(b))
#define _cvtmask32_u32(k) ((uint32_t)(k))
