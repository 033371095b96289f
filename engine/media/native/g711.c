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

static int16_t decode_a(uint8_t octet)
{
    octet ^= 0x55;
    int segment = (octet & 0x70) >> 4;
    int magnitude = (octet & 0x0f) << 4;
    magnitude += segment ? 0x108 : 8; /* the middle of the step */
    if (segment > 1)
        magnitude <<= segment - 1;
    return (int16_t)(octet & 0x80 ? magnitude : -magnitude);
}

static int16_t decode_mu(uint8_t octet)
{
    octet = (uint8_t)~octet;
    int magnitude = ((((octet & 0x0f) << 3) + MU_BIAS) << ((octet & 0x70) >> 4)) - MU_BIAS;
    return (int16_t)(octet & 0x80 ? -magnitude : magnitude);
}

void g711_decode(int16_t *samples, const uint8_t *octets, size_t count, enum g711_law law)
{
    for (size_t i = 0; i < count; i++)
        samples[i] = law == G711_A ? decode_a(octets[i]) : decode_mu(octets[i]);
}
