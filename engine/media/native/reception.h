/* What came from a peer: sequence, loss and jitter of its stream (RFC 3550 A.1, A.3, A.8). */
#ifndef FRONTDESK_RECEPTION_H
#define FRONTDESK_RECEPTION_H

#include <stdbool.h>
#include <stdint.h>

#include "rtp.h"

enum reception_verdict {
    RECEPTION_IN_ORDER,   /* the newest packet, with or without a gap before it */
    RECEPTION_LATE,       /* reordered, but not seen before */
    RECEPTION_NEW_SOURCE, /* the first of another SSRC or of a restarted sequence */
    RECEPTION_DUPLICATE,  /* seen before: drop it */
    RECEPTION_SUSPECT,    /* another SSRC or a wild jump that its successor has to confirm: drop it */
};

struct reception {
    uint64_t packets; /* accepted, over all sources */
    uint64_t octets;  /* of payload */
    uint64_t seen;    /* bit n: the packet n before the newest has come */
    uint64_t earlier_expected;
    uint64_t earlier_lost;
    uint64_t newest_at_ns; /* arrival of the newest packet */
    uint32_t ssrc;
    uint32_t first; /* extended sequence numbers of the present source */
    uint32_t newest;
    uint32_t received;
    uint32_t reported_expected; /* as of the last report, for its fraction lost */
    uint32_t reported_received;
    uint32_t clock_rate;
    uint32_t transit;
    uint32_t jitter_x16; /* in timestamp units, scaled by 16 as in A.8 */
    uint32_t candidate_ssrc;
    uint16_t candidate_next;
    bool has_source;
    bool has_candidate;
    bool has_transit;
};

/* Takes a packet's header into the figures. clock_rate is its payload's; 0 leaves jitter alone (events keep one
 * timestamp while they last). now_ns is any monotonic clock. */
enum reception_verdict reception_take(struct reception *reception, const struct rtp_header *header,
                                      uint32_t clock_rate, uint64_t now_ns);

uint64_t reception_expected(const struct reception *reception); /* over all sources */
uint64_t reception_lost(const struct reception *reception);
double reception_jitter_ms(const struct reception *reception);

/* One RTCP report block's loss figures for the present source; moves the interval of the fraction. */
struct reception_report {
    uint8_t fraction_lost;
    uint32_t cumulative_lost; /* 24 bits */
};
struct reception_report reception_report(struct reception *reception);

#endif
