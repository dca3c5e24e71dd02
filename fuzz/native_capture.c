/* libFuzzer: hostile bytes through the walker, the decoder and the counts.
 *
 * What must hold: no sanitizer speaks; every frame lies within the data; all engines count alike; cutting the data into
 * two chunks changes no frame before the cut. `python fuzz/native_fuzz.py` builds and runs it.
 */
#include "../fwengine/native/flows.h"

#include <stdlib.h>
#include <string.h>

#define ROOM 512
#define CHECK(x)                                                                                                        \
    do {                                                                                                                \
        if (!(x))                                                                                                       \
            abort();                                                                                                    \
    } while (0)

static fwk_family *family(uint32_t dims)
{
    static uint32_t lo[64 * FWK_MAX_WORDS], hi[64 * FWK_MAX_WORDS], rule[64], box[64];
    fwk_entries e = {dims, 64, lo, hi, rule, box};
    fwk_sets none = {0, NULL, NULL};
    for (uint32_t i = 0; i < 64; i++) {
        for (uint32_t d = 0; d < dims; d++) {
            uint32_t top = d + 3 >= dims ? (d + 1 < dims ? 65535 : 2) : 0xffffffffu, x = (i * 2654435761u + d * 40503u);
            lo[i * dims + d] = x % 3 ? 0 : (x >> 3) % (top ? top : 1);
            hi[i * dims + d] = x % 5 ? top : lo[i * dims + d];
        }
        rule[i] = i;
        box[i] = FWK_NONE;
    }
    fwk_family *f = calloc(1, sizeof *f);
    f->rules = 64;
    for (int p = 0; p < 768; p++)
        f->of_protocol[p] = (uint16_t)(p / 3 == 6);
    f->stages = 1;
    f->stage[0] = (fwk_stage){.field = FWK_FLAGS, .values = 257, .width = 2, .size = 4};
    f->stage[0].of_value = calloc(257, 2);
    f->stage[0].table = calloc(4, 2);
    for (int v = 0; v < 257; v++)
        f->stage[0].of_value[v] = v & 16 ? 1 : 0;
    f->stage[0].table[2] = 1;
    f->stage[0].table[3] = 2;
    CHECK(fwk_family_valid(f));
    CHECK(fwk_build(&e, &none, 100000, NULL, NULL, &f->table) == FWK_OK);
    return f;
}

static uint32_t walk(fwk_walker *w, const uint8_t *data, size_t size, fwk_frame *frames)
{
    uint32_t n = 0;
    size_t at = 0;
    for (;;) {
        int reason = fwk_walk(w, data, size, at, frames + n, ROOM - n);
        CHECK(w->at <= size && w->at >= at && w->frames <= ROOM - n);
        n += w->frames;
        at = w->at;
        if ((reason != FWK_DESCRIBED && reason != FWK_NAMED) || n == ROOM)
            return n;
        CHECK(w->name <= size && w->name_length <= size - w->name);
        if (reason == FWK_NAMED) {
            fwk_name(w, 1, 2, (uint16_t)(w->name_length & 3));
            continue;
        }
        if (w->count >= FWK_MAX_INTERFACES || !fwk_describe(w, 1, 2, (uint16_t)(w->name_length & 3)))
            return n;
    }
}

/* Every frame is in a flow, beyond the table, or without fields, but for the truncated ones that are left to others. */
static void check_flows(const uint8_t *data, const fwk_frame *frames, uint32_t n, const uint32_t *out, const uint64_t *counts)
{
    fwk_flows *t = fwk_flows_new(4, 64 + 1);
    uint8_t *has = malloc(512), *takes = malloc(64 + 1 + FWK_CLASS_ROWS);
    CHECK(t && has && takes);
    memset(has, 3, 512);
    memset(takes, 1, 64 + 1 + FWK_CLASS_ROWS);
    t->has = has;
    t->takes = takes;
    CHECK(fwk_flows_add(t, data, frames, n, out));
    uint64_t sum = t->beyond + t->fieldless + counts[2 * (65 + FWK_TRUNCATED - FWK_NOT_IP)];
    for (uint32_t k = 0; k < t->count; k++) {
        CHECK(t->flow[k].first <= t->flow[k].last);
        sum += t->flow[k].packets;
    }
    CHECK(sum == n && t->count <= 4);
    for (size_t k = 0; k < t->other_count; k++)
        CHECK(t->others[k].flow < t->count && t->others[k].frame < n);
    fwk_flows_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    static fwk_family *four, *six;
    static fwk_walker w;
    static fwk_frame frames[ROOM], again[ROOM];
    static const uint16_t links[] = {1,   12,  0,   108, 113, 276, 9,   50,  51,  104, 228, 229, 101, 5,   6,   7,   8,   10,
                                     13,  14,  19,  100, 105, 106, 107, 109, 117, 119, 127, 129, 138, 149, 163, 178, 192, 204,
                                     205, 206, 226, 239, 242, 258, 281, 282, 284, 285};
    if (!four) {
        four = family(5);
        six = family(11);
    }
    if (size < 2)
        return 0;
    uint8_t how = input[0], link = input[1];
    fwk_walker start = {.pcapng = how & 1, .big = how >> 1 & 1, .header = how & 4 ? 24 : 16, .swapped = how >> 3 & 3,
                        .link = links[link % (sizeof links / sizeof *links)]};
    if (start.swapped == 3)
        start.swapped = 0;
    /* a copy of the exact size, so that AddressSanitizer sees the first byte too many */
    uint8_t *data = malloc(size - 2 ? size - 2 : 1);
    memcpy(data, input + 2, size - 2);
    size -= 2;
    free(w.interfaces);
    w = start;
    uint32_t n = walk(&w, data, size, frames);
    for (uint32_t i = 0; i < n; i++)
        CHECK((uint64_t)frames[i].offset + frames[i].captured <= size && frames[i].captured <= FWK_MAX_CAPTURED);
    uint64_t counts[FWK_ENGINES][2 * (64 + 1 + FWK_CLASS_ROWS)], recorded[2 * (64 + 1 + FWK_CLASS_ROWS)];
    uint32_t kinds[ROOM];
    memset(counts, 0, sizeof counts);
    for (int e = 0; e < FWK_ENGINES; e++) {
        if (!fwk_engine_live(e))
            continue;
        fwk_tally t = {.v4 = four, .v6 = six, .run4 = fwk_engine(e, four->table), .run6 = fwk_engine(e, six->table),
                       .count = counts[e], .recorded = recorded, .kinds = kinds};
        uint32_t out[ROOM];
        memset(recorded, 0, sizeof recorded);
        CHECK(fwk_count(&t, data, frames, n, out) == FWK_COUNT_DONE);
        CHECK(t.kinds_used == counts[e][2 * 65]);
        free(t.doubtful);
        check_flows(data, frames, n, out, counts[e]);
        CHECK(!memcmp(counts[e], counts[0], sizeof counts[0]));
    }
    if (size) { /* the first part alone gives a prefix */
        size_t part = (size_t)how * 257 % size;
        uint8_t *cut = malloc(part ? part : 1);
        memcpy(cut, data, part);
        free(w.interfaces);
        w = start;
        uint32_t m = walk(&w, cut, part, again);
        CHECK(m <= n && !memcmp(again, frames, m * sizeof *frames));
        free(cut);
    }
    free(data);
    return 0;
}
