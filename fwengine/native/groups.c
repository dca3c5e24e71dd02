/* Rows to groups that are counted: a hash table with open addressing, never more than a quarter full; see logs.h. */
#include "logs.h"

#include <stdlib.h>
#include <string.h>

int fwk_groups_begin(fwk_groups *g, uint32_t keys)
{
    g->count = 0;
    g->room = 512;
    g->mask = 2047;
    g->width = keys + 1;
    g->groups = malloc(g->room * sizeof *g->groups);
    g->keys = malloc(g->room * g->width * sizeof *g->keys);
    g->slots = calloc(g->mask + 1, sizeof *g->slots);
    return g->groups && g->keys && g->slots;
}

void fwk_groups_free(fwk_groups *g)
{
    free(g->groups);
    free(g->keys);
    free(g->slots);
}

static int grow(fwk_groups *g)
{
    size_t room = 2 * g->room, mask = 2 * g->mask + 1;
    fwk_group *groups = realloc(g->groups, room * sizeof *groups);
    if (!groups)
        return 0;
    g->groups = groups;
    uint32_t *keys = realloc(g->keys, room * g->width * sizeof *keys);
    if (!keys)
        return 0;
    g->keys = keys;
    fwk_slot *slots = calloc(mask + 1, sizeof *slots);
    if (!slots)
        return 0;
    for (size_t n = 0; n <= g->mask; n++)
        if (g->slots[n].group) {
            size_t at = g->slots[n].hash & mask;
            while (slots[at].group)
                at = (at + 1) & mask;
            slots[at] = g->slots[n];
        }
    free(g->slots);
    g->slots = slots;
    g->room = room;
    g->mask = mask;
    return 1;
}

static int same(const fwk_groups *g, size_t group, const fwk_told *told, size_t row)
{
    const uint32_t *key = g->keys + group * g->width;
    for (uint32_t k = 0; k < told->keys; k++)
        if (key[k] != told->answers[k][row])
            return 0;
    return key[told->keys] == (told->recorded ? told->recorded[row] : 0);
}

static fwk_group *found(fwk_groups *g, const fwk_told *told, size_t row, uint32_t hash)
{
    size_t at = hash & g->mask;
    for (; g->slots[at].group; at = (at + 1) & g->mask)
        if (g->slots[at].hash == hash && same(g, g->slots[at].group - 1, told, row))
            return &g->groups[g->slots[at].group - 1];
    if (g->count == g->room) {
        if (!grow(g))
            return NULL;
        return found(g, told, row, hash);
    }
    fwk_group *group = &g->groups[g->count];
    *group = (fwk_group){.first = FWK_LATEST, .last = FWK_EARLIEST};
    uint32_t *key = g->keys + g->count * g->width;
    for (uint32_t k = 0; k < told->keys; k++)
        key[k] = told->answers[k][row];
    key[told->keys] = told->recorded ? told->recorded[row] : 0;
    g->slots[at] = (fwk_slot){hash, (uint32_t)++g->count};
    return group;
}

static uint64_t item(const void *column, int size, size_t row)
{
    if (!column)
        return 0;
    if (size == 4) {
        uint32_t value;
        memcpy(&value, (const char *)column + 4 * row, 4);
        return value;
    }
    uint64_t value;
    memcpy(&value, (const char *)column + 8 * row, 8);
    return value;
}

static int64_t moment(const int64_t *column, size_t row, int64_t otherwise)
{
    if (!column)
        return otherwise;
    int64_t value;
    memcpy(&value, (const char *)column + 8 * row, 8);
    return value;
}

static void add(uint64_t *sum, uint64_t *more, uint64_t value)
{
    *sum += value;
    *more += *sum < value;
}

#define AHEAD 64 /* hashes that are found together */

static void hashes(const fwk_told *told, size_t begin, size_t count, uint32_t *out)
{
    uint64_t hash[AHEAD];
    for (size_t j = 0; j < count; j++)
        hash[j] = 0x9E3779B97F4A7C15u ^ (told->recorded ? told->recorded[begin + j] : 0);
    for (uint32_t k = 0; k < told->keys; k++)
        for (size_t j = 0; j < count; j++)
            hash[j] = (hash[j] ^ told->answers[k][begin + j]) * 0xD6E8FEB86659FD93u;
    for (size_t j = 0; j < count; j++)
        out[j] = (uint32_t)(hash[j] >> 32);
}

int fwk_group_rows(fwk_groups *g, const fwk_told *told, size_t begin, size_t end)
{
    uint32_t hash[AHEAD];
    for (size_t at = begin; at < end; at += AHEAD) {
        const size_t count = end - at < AHEAD ? end - at : AHEAD;
        hashes(told, at, count, hash);
        for (size_t row = at; row < at + count; row++) {
            fwk_group *group = found(g, told, row, hash[row - at]);
            if (!group)
                return 0;
            group->flows++;
            add(&group->bytes, &group->more_bytes, item(told->bytes, told->bytes_size, row));
            add(&group->packets, &group->more_packets, item(told->packets, told->packets_size, row));
            int64_t first = moment(told->first, row, FWK_LATEST), then = moment(told->last, row, FWK_EARLIEST);
            if (first < group->first)
                group->first = first;
            if (then > group->last)
                group->last = then;
        }
    }
    return 1;
}

fwk_told fwk_told_from(const fwk_told *told, size_t at)
{
    fwk_told out = *told;
    if (out.recorded)
        out.recorded += at;
    if (out.bytes)
        out.bytes = (const char *)out.bytes + at * (size_t)out.bytes_size;
    if (out.packets)
        out.packets = (const char *)out.packets + at * (size_t)out.packets_size;
    if (out.first)
        out.first += at;
    if (out.last)
        out.last += at;
    return out;
}
