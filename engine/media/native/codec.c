#include "codec.h"

#include <strings.h>

#include "g711.h"

void codec_encode(enum codec codec, struct g722 *g722, uint8_t *octets, const int16_t *samples, size_t count)
{
    if (codec == CODEC_G722)
        g722_encode(g722, octets, samples, count);
    else
        g711_encode(octets, samples, count, codec == CODEC_PCMU ? G711_MU : G711_A);
}

void codec_decode(enum codec codec, struct g722 *g722, int16_t *samples, const uint8_t *octets, size_t count)
{
    if (codec == CODEC_G722)
        g722_decode(g722, samples, octets, count);
    else
        g711_decode(samples, octets, count, codec == CODEC_PCMU ? G711_MU : G711_A);
}

enum codec codec_named(const char *encoding, uint32_t clock_rate)
{
    if (clock_rate != CODEC_RATE)
        return CODEC_NONE;
    if (strcasecmp(encoding, "PCMA") == 0)
        return CODEC_PCMA;
    if (strcasecmp(encoding, "PCMU") == 0)
        return CODEC_PCMU;
    return strcasecmp(encoding, "G722") == 0 ? CODEC_G722 : CODEC_NONE;
}
