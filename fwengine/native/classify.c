/* Which engine walks, and the exact check of a box, which all engines share. Which are live is asked of the processor
 * at run time; all give the same results. */
#include "lockstep.h"

#define FAR_LINES 8192 /* of a table that a processor's own cache (512 KiB and more) may not hold */

static int compare(const uint32_t *a, const uint32_t *b, uint32_t words)
{
    for (uint32_t i = 0; i < words; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return 0;
}

int fwk_verify(const fwk_table *t, uint32_t box, const uint32_t *row)
{
    uint32_t wide = t->dims == 5 ? 1 : 4, word[FWK_MAX_WORDS];
    for (uint32_t d = 0; d < t->dims; d++)
        word[d] = row[fwk_place(t->dims, d)];
    row = word;
    if (box >= t->sets.boxes)
        return 0;
    for (uint32_t axis = 0; axis < 5; axis++) {
        uint32_t width = axis < 2 ? wide : 1;
        const uint32_t *set = t->sets.words + t->sets.offset[5 * (size_t)box + axis];
        uint32_t size = t->sets.offset[5 * (size_t)box + axis + 1] - t->sets.offset[5 * (size_t)box + axis];
        uint32_t lo = 0, hi = size / (2 * width); /* the first interval that ends at or behind the value */
        while (lo < hi) {
            uint32_t middle = (lo + hi) / 2;
            if (compare(set + (2 * (size_t)middle + 1) * width, row, width) < 0)
                lo = middle + 1;
            else
                hi = middle;
        }
        if (lo == size / (2 * width) || compare(set + 2 * (size_t)lo * width, row, width) > 0)
            return 0;
        row += width;
    }
    return 1;
}

int fwk_engine_live(int engine)
{
    if (engine == FWK_PORTABLE)
        return 1;
#if FWK_X86
    if (engine == FWK_AVX2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt");
#ifdef FWK_EMULATED
    if (engine == FWK_AVX512)
        return fwk_engine_live(FWK_AVX2);
#endif
    if (engine == FWK_AVX512)
        return fwk_engine_live(FWK_AVX2) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
#endif
    return 0;
}

fwk_run fwk_engine(int engine, const fwk_table *t)
{
#if FWK_X86
    const fwk_walks *const walks[FWK_ENGINES] = {&fwk_portable, &fwk_avx2, &fwk_avx512};
#else
    const fwk_walks *const walks[FWK_ENGINES] = {&fwk_portable, &fwk_portable, &fwk_portable};
#endif
    const int which = fwk_engine_live(engine) ? engine : FWK_PORTABLE;
    return (*walks[which])[t->dims == 5 ? 0 : 1 + t->wide][t->lines > FAR_LINES];
}
