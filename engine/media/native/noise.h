/* Comfort noise (RFC 3389): what a party that is silent sounds like, and what a mix in which nobody speaks does. */
#ifndef FRONTDESK_NOISE_H
#define FRONTDESK_NOISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "list.h"
#include "rtp.h"

enum { NOISE_OF_A_LINE = 66 /* -dBov: a line that lives, and nobody is disturbed by */, NOISE_FAINTEST = 127 };

/* A peer that has said how its silence sounds, until its audio comes again. */
struct noise {
    bool is_on;
    uint8_t level; /* -dBov */
    uint32_t seed;
    struct rtp_header source; /* the numbering of what is made of it for the other leg */
    struct link link;         /* in the relay's quiet legs while it is on */
};

/* Fills samples with white noise of a level in -dBov. */
void noise_fill(uint32_t *seed, unsigned level, int16_t *samples, size_t count);

struct relay;
struct leg;

/* Takes the payload of a comfort noise packet of a leg's peer. */
void noise_hear(struct relay *relay, struct leg *leg, const uint8_t *payload, size_t size);

/* The peer speaks again, or the leg is closed. */
void noise_end(struct leg *leg);

/* Makes the silence of quiet legs heard by their other legs, where these have not agreed on comfort noise. */
void noise_tick(struct relay *relay);

#endif
