/* The codecs whose audio the gateway understands: linear samples to payload octets and back, one direction of a leg at a
 * time. */
#ifndef FRONTDESK_CODEC_H
#define FRONTDESK_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "g722.h"

enum codec { CODEC_NONE, CODEC_PCMA, CODEC_PCMU, CODEC_G722, CODEC_OPUS };

enum {
    CODEC_RATE = 8000, /* of narrow samples; wide ones have twice as many */
    CODEC_MOST_SAMPLES = 960,  /* narrow: 120 ms, no peer sends longer packets */
    CODEC_MOST_WIDE = 2 * CODEC_MOST_SAMPLES,
    CODEC_MOST_OCTETS = 1275,  /* of a payload that is made */
};

struct opus_voice;

/* The state of one direction, whatever it speaks. */
struct voice {
    struct g722 g722;
    struct opus_voice *opus; /* NULL until it is needed */
};

void voice_begin(struct voice *voice);
void voice_end(struct voice *voice);

/* Encodes at most CODEC_MOST_SAMPLES narrow samples or CODEC_MOST_WIDE wide ones, and returns the octets: 0 when they
 * cannot be encoded. Only codecs that are wide take wide samples. */
size_t voice_encode(struct voice *voice, enum codec codec, bool is_wide, uint8_t octets[CODEC_MOST_OCTETS],
                    const int16_t *samples, size_t count);

/* Decodes a payload and returns how many samples it held: 0 for what cannot be decoded, or is longer than 120 ms. */
size_t voice_decode(struct voice *voice, enum codec codec, bool is_wide, int16_t samples[CODEC_MOST_WIDE],
                    const uint8_t *octets, size_t size);

/* What a payload tells of the packet lost before it (RFC 7587 section 3.3): 0 when it tells nothing. */
size_t voice_recover(struct voice *voice, enum codec codec, bool is_wide, int16_t samples[CODEC_MOST_WIDE],
                     const uint8_t *octets, size_t size);

/* The codec of an SDP encoding name, compared without case; CODEC_NONE when it is none of ours, or its library is not
 * there. clock_rate is that of its RTP timestamps. */
enum codec codec_named(const char *encoding, uint32_t clock_rate);

/* The clock of its RTP timestamps: G.722's says 8000 although it has 16000 samples a second (RFC 3551 4.5.2). */
static inline uint32_t codec_clock(enum codec codec)
{
    return codec == CODEC_OPUS ? 48000 : CODEC_RATE;
}

/* Whether it carries more than telephones with 8000 samples a second do. */
static inline bool codec_is_wide(enum codec codec)
{
    return codec == CODEC_G722 || codec == CODEC_OPUS;
}

#endif
