/* The tones of digits (ITU-T Q.23): making them, and hearing them in audio (Q.24). */
#ifndef FRONTDESK_DTMF_H
#define FRONTDESK_DTMF_H

#include <stddef.h>
#include <stdint.h>

enum { DTMF_TONES = 8, DTMF_BLOCK = 102 /* samples: 12.75 ms */ };

/* Makes one digit's two tones. */
struct dtmf_maker {
    double rhythm[2]; /* 2 cos(w) */
    double last[2];
    double before[2];
};

/* Begins the tones of an event number of RFC 4733 (0 to 15). */
void dtmf_begin(struct dtmf_maker *maker, unsigned event);
void dtmf_make(struct dtmf_maker *maker, int16_t *samples, size_t count);

/* Hears digits in a stream of samples. */
struct dtmf_hearer {
    float last[DTMF_TONES];
    float before[DTMF_TONES];
    float energy;
    unsigned samples; /* of the block at hand */
    int candidate;    /* the event in the latest block, -1 for none */
    int blocks;       /* how many in a row had it */
    int present;      /* the digit that is pressed, -1 for none */
};

void dtmf_listen(struct dtmf_hearer *hearer);

/* Takes samples; returns the event number of a digit whose press was recognised in them, or -1. */
int dtmf_hear(struct dtmf_hearer *hearer, const int16_t *samples, size_t count);

#endif
