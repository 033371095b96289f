/* ITU-T G.711: linear samples to A-law and µ-law and back. */
#ifndef FRONTDESK_G711_H
#define FRONTDESK_G711_H

#include <stddef.h>
#include <stdint.h>

enum g711_law { G711_A, G711_MU };

/* Encodes count samples into as many octets. */
void g711_encode(uint8_t *octets, const int16_t *samples, size_t count, enum g711_law law);

/* Decodes count octets into as many samples. */
void g711_decode(int16_t *samples, const uint8_t *octets, size_t count, enum g711_law law);

#endif
