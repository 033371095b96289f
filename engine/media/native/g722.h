/* ITU-T G.722 at 64 kbit/s, its lower band: what telephones with 8000 samples a second have to say. */
#ifndef FRONTDESK_G722_H
#define FRONTDESK_G722_H

#include <stddef.h>
#include <stdint.h>

/* One direction's predictor and quantiser of the lower sub-band (clause 3.5); all zero bits are no beginning. */
struct g722 {
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

void g722_begin(struct g722 *g722);
void g722_encode(struct g722 *g722, uint8_t *octets, const int16_t *samples, size_t count);
void g722_decode(struct g722 *g722, int16_t *samples, const uint8_t *octets, size_t count);

#endif
