/* A hash table with open addressing: never more than half full, nothing is ever removed. What is counted is what
 * traffic/flows.py counts, packet by packet, which the tests compare. */
#include "flows.h"
#include "lines.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define KEY offsetof(fwk_flow, clock)
#define CLASSES 4u

fwk_flows *fwk_flows_new(uint32_t most, uint32_t rows)
{
    fwk_flows *t = calloc(1, sizeof *t);
    uint32_t slots = 2;
    if (!t)
        return NULL;
    while (slots < 2 * most)
        slots *= 2;
    t->most = most;
    t->mask = slots - 1;
    t->rows = rows;
    t->flow = malloc(most * sizeof *t->flow);
    t->slot = calloc(slots, sizeof *t->slot);
    if (t->flow && t->slot)
        return t;
    fwk_flows_free(t);
    return NULL;
}

void fwk_flows_free(fwk_flows *t)
{
    if (!t)
        return;
    free(t->flow);
    free(t->slot);
    free(t->others);
    free((void *)t->has);
    free((void *)t->takes);
    free(t);
}

static uint64_t hash_of(const fwk_flows *t, const fwk_flow *key)
{
    uint64_t hash = t->seed[0], word;
    for (size_t at = 0; at < KEY; at += sizeof word) {
        const size_t size = KEY - at < sizeof word ? KEY - at : sizeof word;
        word = 0;
        memcpy(&word, (const uint8_t *)key + at, size);
        hash = (hash ^ word) * (t->seed[1] | 1);
        hash ^= hash >> 32;
    }
    return hash;
}

/* The flow with this key, made if there is none; null if the table is full. */
static fwk_flow *find(fwk_flows *t, const fwk_flow *key)
{
    for (uint64_t at = hash_of(t, key);; at++) {
        uint32_t *slot = &t->slot[at & t->mask];
        if (!*slot) {
            if (t->count == t->most)
                return NULL;
            t->flow[t->count] = *key;
            *slot = ++t->count;
            return &t->flow[t->count - 1];
        }
        fwk_flow *known = &t->flow[*slot - 1];
        if (!memcmp(known, key, KEY))
            return known;
    }
}

static int leave(fwk_flows *t, uint32_t flow, size_t frame)
{
    if (t->other_count == t->other_room) {
        const size_t room = t->other_room ? 2 * t->other_room : 256;
        fwk_other_clock *more = realloc(t->others, room * sizeof *more);
        if (!more)
            return 0;
        t->others = more;
        t->other_room = room;
    }
    t->others[t->other_count++] = (fwk_other_clock){flow, (uint32_t)frame};
    return 1;
}

static void fill(const fwk_flows *t, fwk_flow *key, uint32_t rule, const fwk_packet *p, int six)
{
    const uint32_t has = p->fragment == 2 ? 0 : t->has[256 * six + p->protocol];
    const size_t size = six ? 16 : 4;
    memset(key, 0, sizeof *key);
    memcpy(key->src, p->src, size);
    memcpy(key->dst, p->dst, size);
    key->rule = rule;
    key->protocol = p->protocol;
    key->six = (uint8_t)six;
    key->has = has & (FWK_HAS_PORTS | FWK_HAS_TYPE);
    key->dport = has & FWK_HAS_PORTS ? p->dport : 0;
    key->type = has & FWK_HAS_TYPE ? p->type : 0;
    key->code = has & FWK_HAS_TYPE ? p->code : 0;
}

int fwk_flows_add(fwk_flows *t, const uint8_t *data, const fwk_frame *frames, size_t n, const uint32_t *indices)
{
    t->other_count = 0;
    for (size_t i = 0; i < n; i++) {
        const fwk_frame *f = &frames[i];
        const uint32_t row = indices[i];
        fwk_packet p;
        fwk_flow key;
        if (row >= t->rows) {
            const uint32_t class = FWK_IS_NOT_IP - row;
            if (row != FWK_IS_TRUNCATED && class < CLASSES)
                t->fieldless += t->takes[t->rows + class];
            continue;
        }
        if (!t->takes[row])
            continue;
        const int class = fwk_decode(data + f->offset, f->captured, f->wire, f->link, &p);
        if (class > FWK_IPV6) { /* decided though truncated */
            t->fieldless++;
            continue;
        }
        fill(t, &key, row, &p, class == FWK_IPV6);
        fwk_flow *flow = find(t, &key);
        if (!flow) {
            t->beyond++;
            continue;
        }
        if (!flow->packets++) {
            flow->clock = f->clock;
            flow->first = flow->last = f->ticks;
        } else if (flow->clock != f->clock) {
            if (!leave(t, (uint32_t)(flow - t->flow), i))
                return 0;
        } else {
            if (f->ticks < flow->first)
                flow->first = f->ticks;
            if (f->ticks > flow->last)
                flow->last = f->ticks;
        }
        flow->bytes += f->wire;
    }
    return 1;
}
