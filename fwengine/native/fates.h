/* Flows as columns -> the rules that decide the packets of each, and the flows with the same answers counted together: one
 * pass, block by block, so that nothing is written to memory but the sums. Knows no Python. */
#ifndef FWK_FATES_H
#define FWK_FATES_H

#include "classifier.h"
#include "logs.h"

#define FWK_SPAN 1024 /* flows of a block */
#define FWK_SIDES 2

/* Where a question's packets have the value of a field from, if it is no constant. */
enum { FWK_ABSENT = -1, FWK_OF_TYPE = -2, FWK_OF_ANSWER = -3, FWK_OF_CODE = -4 };

/* Packets to ask for, one of each flow. A constant stands FWK_SPAN times in `room`, null if the value is the flow's. */
typedef struct {
    int reverse;
    uint16_t *sport, *dport;
    int64_t value[FWK_STAGES]; /* a constant, or one of the above */
    void *room[FWK_STAGES];
} fwk_question;

/* What is asked of flows of one kind. The packets of `asked` are asked for always, all others only where of one of the sides
 * that may have opened the flow all first packets are allowed: of the rest nothing is to be known. */
typedef struct {
    uint32_t questions, asked, sides, side[FWK_SIDES]; /* sets of questions */
    uint32_t rules;
    uint8_t *allows; /* by rule, the default behind them */
    uint8_t answered[256]; /* the ICMP type that answers each */
    fwk_question question[FWK_GROUP_KEYS];
} fwk_plan;

typedef struct {
    const uint8_t *protocol, *type, *code; /* the last two may be null */
    const uint32_t *src, *dst;
    const uint8_t *src6, *dst6;
    const uint16_t *sport, *dport;
} fwk_flow_columns;

enum { FWK_FATES_DONE, FWK_FATES_MEMORY, FWK_FATES_RANGE };

fwk_plan *fwk_plan_new(uint32_t questions, uint32_t rules);
void fwk_plan_free(fwk_plan *);

/* Adds flows begin to end to groups; an answer that nobody asked for is FWK_NONE. `told` has what is summed, and no answers. */
int fwk_count_flows(fwk_groups *, const fwk_plan *, const fwk_family *, fwk_run, const fwk_flow_columns *,
                    const fwk_told *told, size_t begin, size_t end);

#endif
