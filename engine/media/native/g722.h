/* ITU-T G.722 at 64 kbit/s: both its bands, or the lower one alone, which is what telephones with 8000 samples a second
 * have to say. */
#ifndef FRONTDESK_G722_H
#define FRONTDESK_G722_H

#include <stddef.h>
#include <stdint.h>

#include "bank.h"

/* The predictor and quantiser of one sub-band (clauses 3.5 and 3.6). */
struct g722_band {
    int step;     /* quantiser scale factor */
    int log_step; /* its logarithm */
    int signal;   /* predicted */
    int poles;    /* the prediction's two parts */
    int zeros;
    int reconstructed[3];
    int partial[3];
    int pole[3];
    int difference[7];
    int zero[7];
};

/* One direction; all zero bits are no beginning. */
struct g722 {
    struct g722_band lower;
    struct g722_band upper;
    struct bank bank;
};

void g722_begin(struct g722 *g722);

/* Octets of samples at 8000 Hz, one of each: the upper band is left empty, and not listened to. */
void g722_encode(struct g722 *g722, uint8_t *octets, const int16_t *samples, size_t count);
void g722_decode(struct g722 *g722, int16_t *samples, const uint8_t *octets, size_t count);

/* count octets of samples at 16000 Hz, one of two. */
void g722_encode_wide(struct g722 *g722, uint8_t *octets, const int16_t *samples, size_t count);
void g722_decode_wide(struct g722 *g722, int16_t *samples, const uint8_t *octets, size_t count);

#endif
