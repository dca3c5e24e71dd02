/* DPDK's rte_acl as a peer that is asked for one round at a time, so that its rounds and ours alternate.
 *
 * usage: rte_acl CORE RULES TRACE PACKETS [MAX_SIZE]
 *
 * RULES and TRACE are ClassBench files as bench/README.md describes them, unpacked; the trace is repeated to PACKETS.
 * Prints `ready RULES BUILD_SECONDS BYTES`, then for each line read (a method's name) `METHOD NANOSECONDS WRONG`: a
 * packet's share of one round, and how many packets got another rule than the trace says. An unknown method, or one
 * that the processor lacks, answers `METHOD none`.
 *
 * The trace must hold port numbers as the rules see them: ports of protocols without ports are set to 0 here as the
 * format asks, which no rule with a port condition on such a protocol exists to notice.
 */
#define _GNU_SOURCE
#include <rte_acl.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH 256

struct tuple {
    uint8_t protocol, pad[3];
    uint32_t src, dst;
    uint16_t sport, dport;
} __attribute__((packed));

RTE_ACL_RULE_DEF(rule5, 5);

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static void *need(void *data)
{
    if (!data) {
        fprintf(stderr, "out of memory\n");
        exit(2);
    }
    return data;
}

static struct rule5 *read_rules(const char *name, unsigned *count)
{
    FILE *file = fopen(name, "r");
    struct rule5 *rules = NULL;
    unsigned n = 0, room = 0;
    char line[256];
    if (!file) {
        perror(name);
        exit(2);
    }
    while (fgets(line, sizeof line, file)) {
        unsigned s[5], d[5], sp[2], dp[2];
        char protocol[16];
        if (sscanf(line, "%u.%u.%u.%u/%u %u.%u.%u.%u/%u %u-%u %u-%u %15s", s, s + 1, s + 2, s + 3, s + 4, d, d + 1,
                   d + 2, d + 3, d + 4, sp, sp + 1, dp, dp + 1, protocol) != 15)
            continue;
        if (n == room)
            rules = need(realloc(rules, (room = room * 2 + 1024) * sizeof *rules));
        struct rule5 *r = &rules[n++];
        memset(r, 0, sizeof *r);
        r->data.category_mask = 1;
        r->data.userdata = n;
        int any = !strcmp(protocol, "any");
        r->field[0].value.u8 = any ? 0 : (uint8_t)atoi(protocol);
        r->field[0].mask_range.u8 = any ? 0 : 0xff;
        r->field[1].value.u32 = s[0] << 24 | s[1] << 16 | s[2] << 8 | s[3];
        r->field[1].mask_range.u32 = s[4];
        r->field[2].value.u32 = d[0] << 24 | d[1] << 16 | d[2] << 8 | d[3];
        r->field[2].mask_range.u32 = d[4];
        r->field[3].value.u16 = (uint16_t)sp[0];
        r->field[3].mask_range.u16 = (uint16_t)sp[1];
        r->field[4].value.u16 = (uint16_t)dp[0];
        r->field[4].mask_range.u16 = (uint16_t)dp[1];
    }
    fclose(file);
    for (unsigned i = 0; i < n; i++)
        rules[i].data.priority = (int)(n - i);
    *count = n;
    return rules;
}

static unsigned read_trace(const char *name, unsigned packets, struct tuple *t, int64_t *truth)
{
    FILE *file = fopen(name, "r");
    char line[256];
    unsigned n = 0;
    if (!file) {
        perror(name);
        exit(2);
    }
    while (n < packets && fgets(line, sizeof line, file)) {
        unsigned src, dst, sport, dport, protocol;
        int first;
        if (sscanf(line, "%u %u %u %u %u %d", &src, &dst, &sport, &dport, &protocol, &first) != 6)
            continue;
        t[n] = (struct tuple){(uint8_t)protocol, {0, 0, 0}, __builtin_bswap32(src), __builtin_bswap32(dst),
                              __builtin_bswap16((uint16_t)sport), __builtin_bswap16((uint16_t)dport)};
        truth[n++] = first;
    }
    fclose(file);
    if (!n)
        return 0;
    for (unsigned i = n; i < packets; i++) {
        t[i] = t[i - n];
        truth[i] = truth[i - n];
    }
    return packets;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        enum rte_acl_classify_alg method;
    } methods[] = {{"scalar", RTE_ACL_CLASSIFY_SCALAR},
                   {"sse", RTE_ACL_CLASSIFY_SSE},
                   {"avx2", RTE_ACL_CLASSIFY_AVX2},
                   {"avx512x16", RTE_ACL_CLASSIFY_AVX512X16},
                   {"avx512x32", RTE_ACL_CLASSIFY_AVX512X32}};
    if (argc < 5) {
        fprintf(stderr, "usage: rte_acl CORE RULES TRACE PACKETS [MAX_SIZE]\n");
        return 2;
    }
    char *eal[] = {argv[0],       "--no-huge", "--no-pci",       "-m",
                   "4096",        "--no-shconf", "--no-telemetry", "--force-max-simd-bitwidth=512",
                   "--log-level=4", "-l",       argv[1]};
    if (rte_eal_init(sizeof eal / sizeof *eal, eal) < 0)
        return 2;
    unsigned count, packets = (unsigned)atoi(argv[4]);
    struct rule5 *rules = read_rules(argv[2], &count);
    struct rte_acl_param param = {
        .name = "peer", .socket_id = SOCKET_ID_ANY, .rule_size = RTE_ACL_RULE_SZ(5), .max_rule_num = count};
    struct rte_acl_ctx *acl = rte_acl_create(&param);
    if (!acl || rte_acl_add_rules(acl, (struct rte_acl_rule *)rules, count)) {
        fprintf(stderr, "rte_acl: %s\n", rte_strerror(rte_errno));
        return 2;
    }
    struct rte_acl_config config = {.num_categories = 1,
                                    .num_fields = 5,
                                    .max_size = argc > 5 ? strtoull(argv[5], NULL, 0) : 0,
                                    .defs = {{RTE_ACL_FIELD_TYPE_BITMASK, 1, 0, 0, 0},
                                             {RTE_ACL_FIELD_TYPE_MASK, 4, 1, 1, 4},
                                             {RTE_ACL_FIELD_TYPE_MASK, 4, 2, 2, 8},
                                             {RTE_ACL_FIELD_TYPE_RANGE, 2, 3, 3, 12},
                                             {RTE_ACL_FIELD_TYPE_RANGE, 2, 4, 3, 14}}};
    struct rte_malloc_socket_stats before = {0}, after = {0};
    rte_malloc_get_socket_stats(0, &before);
    double begin = now();
    if (rte_acl_build(acl, &config)) {
        printf("failed\n");
        return 1;
    }
    double build = now() - begin;
    rte_malloc_get_socket_stats(0, &after);

    struct tuple *t = need(malloc((size_t)packets * sizeof *t));
    int64_t *truth = need(malloc((size_t)packets * sizeof *truth));
    const uint8_t **at = need(malloc((size_t)packets * sizeof *at));
    uint32_t *found = need(malloc((size_t)packets * sizeof *found));
    packets = read_trace(argv[3], packets, t, truth);
    for (unsigned i = 0; i < packets; i++)
        at[i] = (const uint8_t *)&t[i];
    printf("ready %u %.6f %zu\n", count, build, after.heap_allocsz_bytes - before.heap_allocsz_bytes);
    fflush(stdout);

    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        int rc = -1;
        double spent = 0;
        for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
            if (strcmp(methods[m].name, line))
                continue;
            memset(found, 0, (size_t)packets * sizeof *found);
            /* asked for by name DPDK does not look whether the processor has it, and dies of what it lacks */
            rc = rte_acl_set_ctx_classify(acl, methods[m].method);
            begin = now();
            for (unsigned i = 0; i < packets && !rc; i += BATCH) {
                unsigned n = packets - i < BATCH ? packets - i : BATCH;
                rc = rte_acl_classify_alg(acl, at + i, found + i, n, 1, methods[m].method);
            }
            spent = now() - begin;
        }
        if (rc) {
            printf("%s none\n", line);
        } else {
            unsigned wrong = 0;
            for (unsigned i = 0; i < packets; i++)
                wrong += (int64_t)found[i] - 1 != truth[i];
            printf("%s %.3f %u\n", line, spent * 1e9 / packets, wrong);
        }
        fflush(stdout);
    }
    return 0;
}
