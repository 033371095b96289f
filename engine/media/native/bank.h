/* The filter bank of G.722 (clause 3.1): 16000 samples a second into two bands and back. Its lower band alone halves and
 * doubles the rate of any audio. */
#ifndef FRONTDESK_BANK_H
#define FRONTDESK_BANK_H

#include <stddef.h>
#include <stdint.h>

enum { BANK_HISTORY = 22 };

/* The samples that the filter has not done with; all zero bits are its beginning. */
struct bank {
    int16_t history[BANK_HISTORY];
};

/* Passes count pairs of samples: the sums of the even and the odd coefficients after each pair. */
void bank_filter(struct bank *bank, const int16_t *samples, int32_t *even, int32_t *odd, size_t count);

/* 2 * count samples at 16000 Hz become count at 8000 Hz, and count at 8000 Hz become 2 * count at 16000 Hz. */
void bank_halve(struct bank *bank, int16_t *narrow, const int16_t *wide, size_t count);
void bank_double(struct bank *bank, int16_t *wide, const int16_t *narrow, size_t count);

#endif
