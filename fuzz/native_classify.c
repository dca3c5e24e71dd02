/* libFuzzer: entries and packets from the input; every engine against a linear first match, which is `decide` over
 * entries. Entries with several intervals go through hulls and the exact check. `python fuzz/native_fuzz.py` builds and runs it.
 */
#include "../fwengine/native/classifier.h"

#include <stdlib.h>
#include <string.h>

#define MOST 96
#define CHECK(x)                                                                                                        \
    do {                                                                                                                \
        if (!(x))                                                                                                       \
            abort();                                                                                                    \
    } while (0)

typedef struct {
    const uint8_t *at, *end;
} bytes;

static uint8_t byte(bytes *b) { return b->at < b->end ? *b->at++ : 0; }

/* A value with few bits of input, near the corners of the domain. */
static uint32_t value(bytes *b, uint32_t top)
{
    uint8_t x = byte(b);
    uint32_t v = (uint32_t)(x & 15);
    switch (x >> 4) {
    case 0: v = 0; break;
    case 1: v = top; break;
    case 2: v = top - v; break;
    case 3: v = (v << 28) | (v << 12) | v; break;
    case 4: v = 0x0a000000u + (v << 16); break;
    case 5: v = 0x0a00ffffu - v; break;
    case 6: v <<= 8; break;
    case 7: v = ((uint32_t)byte(b) << 24 | (uint32_t)byte(b) << 16 | (uint32_t)byte(b) << 8 | byte(b)); break;
    default: v |= (uint32_t)(x & 0x70); break;
    }
    return v > top ? v % (top + 1) : v;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    bytes b = {input, input + size};
    uint8_t how = byte(&b);
    uint32_t dims = how & 1 ? 11 : 5, count = byte(&b) % MOST, width[5] = {1, 1, 1, 1, 1};
    static uint32_t lo[MOST * 11], hi[MOST * 11], rule[MOST], box[MOST], low[MOST * 11], high[MOST * 11];
    uint32_t *offset = calloc(5 * MOST + 1, 4), *words = calloc(MOST * 2 * 2 * 11, 4), boxes = 0, used = 0, last = 0;
    CHECK(offset && words);
    if (dims == 11)
        width[0] = width[1] = 4;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t kind = byte(&b);
        int exact = (kind & 7) == 7 && (how & 2);
        last += kind >> 7;
        rule[i] = last;
        box[i] = FWK_NONE;
        for (uint32_t d = 0; d < dims; d++) {
            uint32_t top = d + 3 < dims ? 0xffffffffu : d + 1 < dims ? 0xffffu : FWK_NO_META - 1;
            uint32_t x = 0, y = top;
            if (kind >> (d % 6) & 1) {
                x = value(&b, top);
                y = kind & 64 ? x : value(&b, top);
            }
            lo[i * dims + d] = low[i * dims + d] = x < y ? x : y;
            hi[i * dims + d] = high[i * dims + d] = x < y ? y : x;
        }
        if (exact) { /* the box is only the lower and the upper end of each axis of one word; the entry is their hull */
            uint32_t d = 0;
            for (uint32_t axis = 0; axis < 5; axis++) {
                uint32_t *l = lo + i * dims + d, *h = hi + i * dims + d;
                if (width[axis] == 1 && h[0] - l[0] > 1) {
                    words[used++] = l[0];
                    words[used++] = l[0];
                    words[used++] = h[0];
                    words[used++] = h[0];
                } else {
                    memcpy(words + used, l, width[axis] * 4);
                    used += width[axis];
                    memcpy(words + used, h, width[axis] * 4);
                    used += width[axis];
                }
                d += width[axis];
                offset[5 * boxes + axis + 1] = used;
            }
            if (dims == 11) /* one interval of four words is no product: the hull is all from the first word on */
                for (uint32_t axis = 0; axis < 2; axis++) {
                    uint32_t k = 0, *l = lo + i * dims + 4 * axis, *h = hi + i * dims + 4 * axis;
                    while (k < 4 && l[k] == h[k])
                        k++;
                    for (k++; k < 4; k++)
                        l[k] = 0, h[k] = 0xffffffffu;
                }
            box[i] = boxes++;
        }
    }
    fwk_sets sets = {boxes, offset, words}, kept = sets;
    fwk_entries e = {dims, count, lo, hi, rule, box};
    fwk_table *t = NULL;
    int error = fwk_build(&e, &sets, how & 4 ? 200 : 100000, NULL, NULL, &t);
    CHECK(error == FWK_OK || error == FWK_LARGE);
    if (error) {
        free(offset);
        free(words);
        return 0;
    }
    static uint32_t src[FWK_BATCH], dst[FWK_BATCH], want[FWK_BATCH], out[FWK_BATCH];
    static uint16_t sport[FWK_BATCH], dport[FWK_BATCH], meta[FWK_BATCH];
    static uint8_t src6[16 * FWK_BATCH], dst6[16 * FWK_BATCH];
    uint32_t packets = 1 + byte(&b) % FWK_BATCH;
    for (uint32_t j = 0; j < packets; j++) {
        uint32_t row[16] = {0};
        uint8_t near = byte(&b);
        for (uint32_t d = 0; d < dims; d++) {
            uint32_t top = d + 3 < dims ? 0xffffffffu : d + 1 < dims ? 0xffffu : FWK_NO_META - 1;
            if (count && near < 250) { /* at or beside a corner */
                uint32_t at = (near + j) % count * dims + d;
                row[d] = byte(&b) & 1 ? low[at] : high[at];
                uint8_t beside = byte(&b) & 15;
                row[d] = beside == 1 && row[d] < top ? row[d] + 1 : beside == 2 && row[d] ? row[d] - 1 : row[d];
            } else
                row[d] = value(&b, top);
        }
        if (dims == 5) {
            src[j] = row[0];
            dst[j] = row[1];
        } else
            for (uint32_t k = 0; k < 32; k++)
                (k < 16 ? src6 + 16 * j : dst6 + 16 * j)[k % 16] = (uint8_t)(row[k / 4] >> (24 - 8 * (k % 4)));
        sport[j] = (uint16_t)row[dims - 3];
        dport[j] = (uint16_t)row[dims - 2];
        meta[j] = (uint16_t)row[dims - 1];
        want[j] = FWK_NONE - 1;
        for (uint32_t i = 0; i < count && want[j] == FWK_NONE - 1; i++) {
            int in = 1;
            if (box[i] == FWK_NONE)
                for (uint32_t d = 0; d < dims; d++)
                    in &= low[i * dims + d] <= row[d] && row[d] <= high[i * dims + d];
            else
                for (uint32_t axis = 0, d = 0; axis < 5; d += width[axis++]) {
                    int some = 0;
                    for (uint32_t k = kept.offset[5 * box[i] + axis]; k < kept.offset[5 * box[i] + axis + 1];
                         k += 2 * width[axis]) {
                        int above = 0, below = 0;
                        for (uint32_t q = width[axis]; q-- > 0;) {
                            uint32_t l = kept.words[k + q], h = kept.words[k + width[axis] + q], x = row[d + q];
                            above = x > l ? 1 : x < l ? -1 : above;
                            below = x < h ? 1 : x > h ? -1 : below;
                        }
                        some |= above >= 0 && below >= 0;
                    }
                    in &= some;
                }
            if (in)
                want[j] = rule[i];
        }
    }
    fwk_batch batch = {src, dst, src6, dst6, sport, dport, meta, packets};
    for (int engine = 0; engine < FWK_ENGINES; engine++)
        if (fwk_engine_live(engine)) {
            fwk_engine(engine, t)(t, &batch, FWK_NONE - 1, out);
            CHECK(!memcmp(out, want, packets * sizeof *out));
        }
    fwk_free(t);
    return 0;
}
