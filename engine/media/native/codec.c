#include "codec.h"

#include <strings.h>

#include "g711.h"
#include "opus_voice.h"

void voice_begin(struct voice *voice)
{
    g722_begin(&voice->g722);
    voice->opus = NULL;
}

void voice_end(struct voice *voice)
{
    opus_voice_free(voice->opus);
    voice->opus = NULL;
}

static size_t encode_g722(struct voice *voice, bool is_wide, uint8_t *octets, const int16_t *samples, size_t count)
{
    if (!is_wide) {
        g722_encode(&voice->g722, octets, samples, count);
        return count;
    }
    g722_encode_wide(&voice->g722, octets, samples, count / 2);
    return count / 2;
}

size_t voice_encode(struct voice *voice, enum codec codec, bool is_wide, uint8_t octets[CODEC_MOST_OCTETS],
                    const int16_t *samples, size_t count)
{
    if (codec == CODEC_OPUS)
        return opus_voice_encode(&voice->opus, is_wide, octets, samples, count);
    if (codec == CODEC_G722)
        return encode_g722(voice, is_wide, octets, samples, count);
    g711_encode(octets, samples, count, codec == CODEC_PCMU ? G711_MU : G711_A);
    return count;
}

size_t voice_decode(struct voice *voice, enum codec codec, bool is_wide, int16_t samples[CODEC_MOST_WIDE],
                    const uint8_t *octets, size_t size)
{
    if (codec == CODEC_OPUS)
        return opus_voice_decode(&voice->opus, is_wide, samples, octets, size, false);
    if (size > CODEC_MOST_SAMPLES)
        return 0;
    if (codec == CODEC_G722 && is_wide) {
        g722_decode_wide(&voice->g722, samples, octets, size);
        return 2 * size;
    }
    if (codec == CODEC_G722)
        g722_decode(&voice->g722, samples, octets, size);
    else
        g711_decode(samples, octets, size, codec == CODEC_PCMU ? G711_MU : G711_A);
    return size;
}

size_t voice_recover(struct voice *voice, enum codec codec, bool is_wide, int16_t samples[CODEC_MOST_WIDE],
                     const uint8_t *octets, size_t size)
{
    return codec == CODEC_OPUS ? opus_voice_decode(&voice->opus, is_wide, samples, octets, size, true) : 0;
}

enum codec codec_named(const char *encoding, uint32_t clock_rate)
{
    if (clock_rate == 48000 && strcasecmp(encoding, "opus") == 0)
        return opus_voice_version() ? CODEC_OPUS : CODEC_NONE;
    if (clock_rate != CODEC_RATE)
        return CODEC_NONE;
    if (strcasecmp(encoding, "PCMA") == 0)
        return CODEC_PCMA;
    if (strcasecmp(encoding, "PCMU") == 0)
        return CODEC_PCMU;
    return strcasecmp(encoding, "G722") == 0 ? CODEC_G722 : CODEC_NONE;
}
