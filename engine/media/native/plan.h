/* What SDP settled for a leg, and how its payload types become another leg's. */
#ifndef FRONTDESK_PLAN_H
#define FRONTDESK_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "codec.h"
#include "latch.h"
#include "rtp.h"

enum { PLAN_FORMATS = 32, PLAN_ENCODING_SIZE = 24, ROUTE_NOWHERE = 0xff };

struct format {
    uint8_t payload_type;
    uint32_t clock_rate;
    char encoding[PLAN_ENCODING_SIZE]; /* compared without case (RFC 4855 3) */
};

struct plan {
    union address rtp; /* AF_UNSPEC while the peer is unknown */
    union address rtcp;
    union address trusted[LATCH_TRUSTED_HOSTS];
    unsigned trusted_hosts;
    unsigned formats;
    struct format format[PLAN_FORMATS];
    bool sends;
    bool receives;
    int packet_ms;
    bool is_datagrams; /* UDPTL (T.38): what comes is passed on unread */
};

/* Where packets of one payload type go. */
struct route {
    uint32_t clock_rate;   /* 0: not negotiated */
    uint32_t clock_of_other; /* of what it becomes */
    uint8_t becomes;       /* the other leg's payload type, or ROUTE_NOWHERE */
    bool is_event;         /* telephone-event: its timestamps tell nothing about jitter */
    bool is_noise;         /* comfort noise */
    bool is_wide;          /* it is decoded to 16000 Hz on its way to the other leg */
    uint8_t codec;         /* an enum codec that it is decoded with, where somebody needs samples */
    uint8_t into;          /* an enum codec: what it must become for the other leg; CODEC_NONE goes as it is */
};

/* Fills routes for the payloads of plan towards a leg with the plan other; other may be NULL. What the other leg has not
 * negotiated becomes its first codec of ours, if it has one. */
void plan_route(struct route routes[RTP_PAYLOAD_TYPES], const struct plan *plan, const struct plan *other);

/* The first format that can be played; CODEC_NONE when there is none. */
enum codec plan_playable(const struct plan *plan, uint8_t *payload_type);

/* Whether the peer has agreed on comfort noise (RFC 3389). */
bool plan_knows_noise(const struct plan *plan);

#endif
