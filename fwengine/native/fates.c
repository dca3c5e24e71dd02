/* Flows to groups: see fates.h. What is said of a flow is what flows/counting.py says, column by column. */
#include "fates.h"

#include <stdlib.h>
#include <string.h>

fwk_plan *fwk_plan_new(uint32_t questions, uint32_t rules)
{
    fwk_plan *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->questions = questions;
    p->rules = rules;
    p->allows = calloc((size_t)rules + 1, 1);
    if (p->allows)
        return p;
    fwk_plan_free(p);
    return NULL;
}

void fwk_plan_free(fwk_plan *p)
{
    if (!p)
        return;
    for (uint32_t q = 0; q < FWK_GROUP_KEYS; q++) {
        free(p->question[q].sport);
        free(p->question[q].dport);
        for (int s = 0; s < FWK_STAGES; s++)
            free(p->question[q].room[s]);
    }
    free(p->allows);
    free(p);
}

/* Flows of a block that are picked out of it, to be asked about. */
typedef struct {
    uint32_t src[FWK_SPAN], dst[FWK_SPAN];
    uint8_t src6[16 * FWK_SPAN], dst6[16 * FWK_SPAN];
    uint16_t sport[FWK_SPAN], dport[FWK_SPAN];
    uint8_t protocol[FWK_SPAN], type[FWK_SPAN], code[FWK_SPAN];
} picked;

typedef struct {
    uint32_t answer[FWK_GROUP_KEYS][FWK_SPAN], found[FWK_SPAN], row[FWK_SPAN];
    uint8_t turned[FWK_SPAN], open[FWK_SPAN];
    picked rest;
} scratch;

static fwk_flow_columns from(const fwk_flow_columns *c, size_t at)
{
    fwk_flow_columns out = *c;
    out.protocol += at;
    out.sport += at;
    out.dport += at;
    if (c->src6) {
        out.src6 += 16 * at;
        out.dst6 += 16 * at;
    } else {
        out.src += at;
        out.dst += at;
    }
    if (c->type) {
        out.type += at;
        out.code += at;
    }
    return out;
}

/* The answers to one question about the first n flows; 0 if a value is outside its field's domain. */
static int ask(const fwk_plan *p, uint32_t q, const fwk_family *f, fwk_run run, const fwk_flow_columns *c, uint32_t n,
               uint8_t *turned, uint32_t *out)
{
    const fwk_question *x = &p->question[q];
    fwk_columns asked = {.protocol = c->protocol};
    asked.src = x->reverse ? c->dst : c->src;
    asked.dst = x->reverse ? c->src : c->dst;
    asked.src6 = x->reverse ? c->dst6 : c->src6;
    asked.dst6 = x->reverse ? c->src6 : c->dst6;
    asked.sport = x->sport ? x->sport : x->reverse ? c->dport : c->sport;
    asked.dport = x->dport ? x->dport : x->reverse ? c->sport : c->dport;
    for (int s = 0; s < FWK_STAGES; s++)
        switch (x->value[s]) {
        case FWK_ABSENT: break;
        case FWK_OF_TYPE: asked.field[s] = c->type; break;
        case FWK_OF_CODE: asked.field[s] = c->code; break;
        case FWK_OF_ANSWER:
            for (uint32_t j = 0; c->type && j < n; j++)
                turned[j] = p->answered[c->type[j]];
            asked.field[s] = c->type ? turned : NULL;
            break;
        default: asked.field[s] = x->room[s];
        }
    return fwk_classify(f, run, &asked, 0, n, out) == n;
}

/* Of which flows more is to be known; how many they are. */
static uint32_t look(const fwk_plan *p, scratch *s, uint32_t n)
{
    uint32_t open = 0;
    memset(s->open, 0, n);
    for (uint32_t k = 0; k < p->sides; k++) {
        uint8_t *all = s->turned;
        memset(all, 1, n);
        for (uint32_t q = 0; q < p->questions; q++)
            if (p->side[k] >> q & 1)
                for (uint32_t j = 0; j < n; j++)
                    all[j] &= p->allows[s->answer[q][j]];
        for (uint32_t j = 0; j < n; j++)
            s->open[j] |= all[j];
    }
    for (uint32_t j = 0; j < n; j++)
        open += s->open[j];
    return open;
}

static void pick(scratch *s, const fwk_flow_columns *c, uint32_t n, fwk_flow_columns *out)
{
    picked *r = &s->rest;
    uint32_t m = 0;
    for (uint32_t j = 0; j < n; j++) {
        s->row[m] = j;
        m += s->open[j];
    }
    for (uint32_t i = 0; i < m; i++) {
        const uint32_t j = s->row[i];
        r->protocol[i] = c->protocol[j];
        r->sport[i] = c->sport[j];
        r->dport[i] = c->dport[j];
    }
    if (c->src6)
        for (uint32_t i = 0; i < m; i++) {
            memcpy(r->src6 + 16 * i, c->src6 + 16 * s->row[i], 16);
            memcpy(r->dst6 + 16 * i, c->dst6 + 16 * s->row[i], 16);
        }
    else
        for (uint32_t i = 0; i < m; i++) {
            r->src[i] = c->src[s->row[i]];
            r->dst[i] = c->dst[s->row[i]];
        }
    if (c->type)
        for (uint32_t i = 0; i < m; i++) {
            r->type[i] = c->type[s->row[i]];
            r->code[i] = c->code[s->row[i]];
        }
    *out = (fwk_flow_columns){r->protocol, c->type ? r->type : NULL, c->type ? r->code : NULL, c->src6 ? NULL : r->src,
                              c->src6 ? NULL : r->dst, c->src6 ? r->src6 : NULL, c->src6 ? r->dst6 : NULL, r->sport, r->dport};
}

/* The answers about a block of flows. */
static int answers(const fwk_plan *p, const fwk_family *f, fwk_run run, const fwk_flow_columns *c, uint32_t n, scratch *s)
{
    const uint32_t every = (1u << p->questions) - 1;
    for (uint32_t q = 0; q < p->questions; q++)
        if (p->asked >> q & 1 && !ask(p, q, f, run, c, n, s->turned, s->answer[q]))
            return 0;
    if (p->asked == every)
        return 1;
    const uint32_t open = look(p, s, n);
    fwk_flow_columns rest = *c;
    const int few = open && open < n - n / 8;
    if (few)
        pick(s, c, n, &rest);
    for (uint32_t q = 0; q < p->questions; q++) {
        uint32_t *out = s->answer[q];
        if (p->asked >> q & 1)
            continue;
        if (few) {
            if (!ask(p, q, f, run, &rest, open, s->turned, s->found))
                return 0;
            memset(out, 0xff, n * sizeof *out);
            for (uint32_t i = 0; i < open; i++)
                out[s->row[i]] = s->found[i];
        } else {
            if (open && !ask(p, q, f, run, c, n, s->turned, out))
                return 0;
            for (uint32_t j = 0; open < n && j < n; j++)
                if (!s->open[j])
                    out[j] = FWK_NONE;
        }
    }
    return 1;
}

int fwk_count_flows(fwk_groups *g, const fwk_plan *p, const fwk_family *f, fwk_run run, const fwk_flow_columns *c,
                    const fwk_told *told, size_t begin, size_t end)
{
    scratch *s = malloc(sizeof *s);
    int result = s ? FWK_FATES_DONE : FWK_FATES_MEMORY;
    for (size_t at = begin; result == FWK_FATES_DONE && at < end; at += FWK_SPAN) {
        const uint32_t n = end - at < FWK_SPAN ? (uint32_t)(end - at) : FWK_SPAN;
        const fwk_flow_columns here = from(c, at);
        fwk_told t = fwk_told_from(told, at);
        if (!answers(p, f, run, &here, n, s)) {
            result = FWK_FATES_RANGE;
            break;
        }
        t.keys = p->questions;
        for (uint32_t q = 0; q < p->questions; q++)
            t.answers[q] = s->answer[q];
        if (!fwk_group_rows(g, &t, 0, n))
            result = FWK_FATES_MEMORY;
    }
    free(s);
    return result;
}
