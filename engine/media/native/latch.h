/* Who may send to a port, and where its answers go: the latch and its guard. */
#ifndef FRONTDESK_LATCH_H
#define FRONTDESK_LATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"

enum { LATCH_TRUSTED_HOSTS = 8 };

enum latch_state {
    LATCH_OPEN,    /* waits for the first packet */
    LATCH_GUESSED, /* locked to another port of an allowed host: NAT, or a phone that sends from elsewhere */
    LATCH_EXACT,   /* locked to the announced address itself */
};

struct latch {
    union address locked;
    union address announced;
    union address former; /* where packets came from before the announced address changed */
    union address trusted[LATCH_TRUSTED_HOSTS];
    uint8_t trusted_hosts;
    uint8_t former_packets; /* how many more the former source may send before it counts as the new one */
    enum latch_state state;
};

/* Takes over what the peer's SDP settled. A changed announced address opens the latch again, and so does the loss of
 * the host that it is locked to (the phone has moved behind another NAT and announces the same private address): packets
 * of the former source are still heard, since those on their way overtake no SDP, but the first one from elsewhere takes
 * the lock. If only the former source is heard for half a second, the phone has not moved (its NAT hides the change)
 * and the lock returns to it, provided its host is still allowed. */
void latch_announce(struct latch *latch, const union address *announced, const union address *trusted,
                    unsigned trusted_hosts);

/* Whether a packet from source may come in; an allowed one locks an open latch. A lock that was a guess yields to
 * the announced address itself, never to another guess. */
bool latch_admit(struct latch *latch, const union address *source);

/* The same for an RTCP port: beside the hosts that are announced and trusted, the host that RTP is locked to may lock
 * it, since behind NAT both come from there. */
bool latch_admit_beside(struct latch *latch, const union address *source, const struct latch *rtp);

/* Whether source's host is one that may lock; says nothing about the lock and changes nothing. */
bool latch_knows_host(const struct latch *latch, const union address *source);

/* Where to send, or NULL while that is unknown or the peer wants nothing (port 0, RFC 3264 5.1). */
const union address *latch_target(const struct latch *latch);

#endif
