/* A packet's class from its fields, and columns of any length in batches. */
#include "classifier.h"

#include <stdlib.h>
#include <string.h>

int fwk_family_valid(const fwk_family *f)
{
    uint32_t bound = f->stages ? f->stage[0].size / f->stage[0].width : FWK_NO_META;
    for (int i = 0; i < 768; i++)
        if (f->of_protocol[i] >= bound)
            return 0;
    for (uint32_t s = 0; s < f->stages; s++) {
        const fwk_stage *stage = &f->stage[s];
        if (stage->field >= FWK_STAGES || stage->size % stage->width)
            return 0;
        bound = s + 1 < f->stages ? f->stage[s + 1].size / f->stage[s + 1].width : FWK_NO_META;
        for (uint32_t i = 0; i < stage->values; i++)
            if (stage->of_value[i] >= stage->width)
                return 0;
        for (uint32_t i = 0; i < stage->size; i++)
            if (stage->table[i] >= bound)
                return 0;
    }
    return 1;
}

void fwk_family_free(fwk_family *f)
{
    if (!f)
        return;
    if (f->table)
        fwk_free(f->table);
    for (uint32_t s = 0; s < f->stages; s++) {
        free(f->stage[s].of_value);
        free(f->stage[s].table);
    }
    free(f);
}

#define ITEM(name, column, item, place) sizeof(item),
const uint8_t fwk_item[FWK_STAGES] = {FWK_FIELDS(ITEM)};

/* The classes of a batch; 0 if a value is outside its field's domain. */
static int classes(const fwk_family *f, const fwk_columns *c, size_t begin, uint32_t count, uint16_t *meta)
{
    const uint8_t *protocol = c->protocol + begin;
    if (c->fragment && !f->whole) {
        uint32_t most = 0;
        for (uint32_t j = 0; j < count; j++)
            most |= c->fragment[begin + j] > 2;
        if (most)
            return 0;
        for (uint32_t j = 0; j < count; j++)
            meta[j] = f->of_protocol[3 * protocol[j] + c->fragment[begin + j]];
    } else
        for (uint32_t j = 0; j < count; j++)
            meta[j] = f->of_protocol[3 * protocol[j]];
    for (uint32_t s = 0; s < f->stages; s++) {
        const fwk_stage *stage = &f->stage[s];
        const void *column = c->field[stage->field];
        const int item = fwk_item[stage->field];
        for (uint32_t j = 0; j < count; j++) {
            uint32_t value = !column ? 0 : item == 1 ? ((const uint8_t *)column)[begin + j]
                             : item == 2 ? ((const uint16_t *)column)[begin + j]
                                         : ((const uint32_t *)column)[begin + j];
            if (value >= stage->values)
                return 0;
            meta[j] = stage->table[(uint32_t)meta[j] * stage->width + stage->of_value[value]];
        }
    }
    return 1;
}

size_t fwk_classify(const fwk_family *f, fwk_run run, const fwk_columns *c, size_t begin, size_t end, uint32_t *out)
{
    uint16_t meta[FWK_BATCH];
    size_t at = begin;
    for (; end - at >= FWK_BATCH; at += FWK_BATCH) {
        if (!classes(f, c, at, FWK_BATCH, meta))
            return at;
        fwk_batch b = {.sport = c->sport + at, .dport = c->dport + at, .meta = meta, .count = FWK_BATCH};
        if (c->src6) {
            b.src6 = c->src6 + 16 * at;
            b.dst6 = c->dst6 + 16 * at;
        } else {
            b.src = c->src + at;
            b.dst = c->dst + at;
        }
        run(f->table, &b, f->rules, out + at);
    }
    if (at < end) { /* the engines read whole batches */
        uint32_t n = (uint32_t)(end - at), src[FWK_BATCH] = {0}, dst[FWK_BATCH] = {0};
        uint16_t sport[FWK_BATCH] = {0}, dport[FWK_BATCH] = {0};
        uint8_t src6[FWK_BATCH * 16] = {0}, dst6[FWK_BATCH * 16] = {0};
        memset(meta, 0, sizeof meta);
        if (!classes(f, c, at, n, meta))
            return at;
        memcpy(sport, c->sport + at, n * sizeof *sport);
        memcpy(dport, c->dport + at, n * sizeof *dport);
        if (c->src6) {
            memcpy(src6, c->src6 + 16 * at, 16 * (size_t)n);
            memcpy(dst6, c->dst6 + 16 * at, 16 * (size_t)n);
        } else {
            memcpy(src, c->src + at, n * sizeof *src);
            memcpy(dst, c->dst + at, n * sizeof *dst);
        }
        fwk_batch b = {src, dst, src6, dst6, sport, dport, meta, n};
        run(f->table, &b, f->rules, out + at);
    }
    return end;
}
