#include "g711.h"

enum { MU_BIAS = 132, MU_CLIP = 32635 };

/* The segment is the position of the highest set bit above the segment-0 range. */
static unsigned segment_of(unsigned magnitude, unsigned base_bit)
{
    unsigned segment = 0;
    while (segment < 7 && magnitude >> (base_bit + segment))
        segment++;
    return segment;
}

static uint8_t encode_a(int16_t sample)
{
    unsigned sign = sample >= 0 ? 0x80 : 0;
    unsigned magnitude = (unsigned)(sample >= 0 ? sample : -(sample + 1)) >> 3;
    unsigned segment = segment_of(magnitude, 5);
    unsigned step = segment < 2 ? magnitude >> 1 : magnitude >> segment;
    return (uint8_t)((sign | segment << 4 | (step & 0x0f)) ^ 0x55);
}

static uint8_t encode_mu(int16_t sample)
{
    unsigned sign = sample < 0 ? 0x80 : 0;
    unsigned magnitude = (unsigned)(sample < 0 ? -(int)sample : sample);
    if (magnitude > MU_CLIP)
        magnitude = MU_CLIP;
    magnitude += MU_BIAS;
    unsigned segment = segment_of(magnitude, 8);
    return (uint8_t)~(sign | segment << 4 | (magnitude >> (segment + 3) & 0x0f));
}

void g711_encode(uint8_t *octets, const int16_t *samples, size_t count, enum g711_law law)
{
    for (size_t i = 0; i < count; i++)
        octets[i] = law == G711_A ? encode_a(samples[i]) : encode_mu(samples[i]);
}
