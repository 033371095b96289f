/* The jitter buffer of a leg whose audio is mixed, recorded or listened to: packets in as they come, a frame out at each
 * tick. */
#ifndef FRONTDESK_JITTER_H
#define FRONTDESK_JITTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JITTER_SAMPLES = 4096, JITTER_FRAME = 160 /* at 8000 Hz */, JITTER_MOST_FRAME = 2 * JITTER_FRAME };

struct jitter {
    int16_t sample[JITTER_SAMPLES];
    bool is_there[JITTER_SAMPLES / 8]; /* which grains of eight samples have come */
    uint32_t at;                       /* timestamp, in samples, that is played next */
    uint32_t newest;                   /* timestamp after the newest sample */
    bool has_begun;
    unsigned deep;    /* frames in a row for which more waits than must */
    unsigned missing; /* frames in a row that were concealed */
    uint32_t frame;   /* samples: JITTER_FRAME, or twice as many at 16000 Hz */
    int16_t last[JITTER_MOST_FRAME];
};

/* What a frame holds. */
enum jitter_find {
    JITTER_NOTHING,   /* silence */
    JITTER_CONCEALED, /* what was before, fading */
    JITTER_AUDIO,
};

/* Begins with nothing, for frames of so many samples. */
void jitter_begin(struct jitter *jitter, uint32_t frame);

/* Puts a packet's samples in their place; what is too late is dropped, what does not fit begins anew. */
void jitter_put(struct jitter *jitter, uint32_t timestamp, const int16_t *samples, size_t count);

/* Whether a whole frame waits. */
bool jitter_holds(const struct jitter *jitter);

/* Takes the next frame: what is missing is concealed by what was before, fading, then silence. */
enum jitter_find jitter_take(struct jitter *jitter, int16_t frame[JITTER_MOST_FRAME]);

#endif
