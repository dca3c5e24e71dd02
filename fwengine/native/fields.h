/* The fields behind a packet's class, one a line: X(its name here, the column's, the column's items, where a captured packet
 * has its value). What is said of fields elsewhere is made from this list. Their order is that of fwengine.model.fields,
 * which looks at names and sizes when the module is loaded. `p` is an fwk_packet, `f` an fwk_frame, `t` an fwk_tally.
 */
#ifndef FWK_FIELDS_H
#define FWK_FIELDS_H

#define FWK_FIELDS(X)                                                                                                 \
    X(TYPE, "icmp_type", uint8_t, p->type)                                                                            \
    X(CODE, "icmp_code", uint8_t, p->code)                                                                            \
    X(FLAGS, "flags", uint8_t, p->flags)                                                                              \
    X(IN, "in_interface", uint16_t, f->in)                                                                            \
    X(OUT, "out_interface", uint16_t, f->out)                                                                         \
    X(STATE, "state", uint8_t, t->state)                                                                              \
    X(DSCP, "dscp", uint8_t, p->dscp)                                                                                \
    X(TTL, "ttl", uint8_t, p->ttl)                                                                                   \
    X(LENGTH, "length", uint32_t, p->length)

#define FWK_FIELD(name, column, item, place) FWK_##name,
enum { FWK_FIELDS(FWK_FIELD) FWK_STAGES };
#undef FWK_FIELD

#endif
