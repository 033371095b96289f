/* Payloads fuzzed: whatever a peer says is decoded, mixed in time by the jitter buffer, and encoded for another. */
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "codec.h"
#include "jitter.h"
#include "scale.h"

#define DEMAND(claim) ((claim) ? (void)0 : abort())

static const enum codec CODEC[] = {CODEC_PCMA, CODEC_PCMU, CODEC_G722, CODEC_OPUS};

struct leg {
    struct voice hearing;
    struct voice speaking;
    struct scale clock;
    struct jitter jitter;
};

/* One packet: its kind, its timestamp, its payload. */
static void hear(struct leg *leg, uint8_t kind, uint32_t timestamp, const uint8_t *payload, size_t size)
{
    int16_t samples[CODEC_MOST_WIDE], frame[JITTER_MOST_FRAME];
    uint8_t made[CODEC_MOST_OCTETS];
    enum codec from = CODEC[kind & 3], into = CODEC[kind >> 2 & 3];
    bool is_wide = codec_is_wide(from) && codec_is_wide(into);
    uint32_t frame_size = is_wide ? JITTER_MOST_FRAME : JITTER_FRAME;
    size_t count = kind & 16 ? voice_recover(&leg->hearing, from, is_wide, samples, payload, size)
                             : voice_decode(&leg->hearing, from, is_wide, samples, payload, size);
    DEMAND(count <= (is_wide ? CODEC_MOST_WIDE : CODEC_MOST_SAMPLES));
    if (leg->jitter.frame != frame_size)
        jitter_begin(&leg->jitter, frame_size);
    if (count) {
        uint32_t at = scale_timestamp(&leg->clock, timestamp, codec_clock(from), CODEC_RATE) * (is_wide ? 2 : 1);
        jitter_put(&leg->jitter, at, samples, count);
        DEMAND(voice_encode(&leg->speaking, into, is_wide, made, samples, count) <= sizeof made);
    }
    for (int ticks = kind >> 5; ticks > 0; ticks--)
        jitter_take(&leg->jitter, frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    struct leg leg;
    memset(&leg, 0, sizeof leg);
    voice_begin(&leg.hearing);
    voice_begin(&leg.speaking);
    jitter_begin(&leg.jitter, JITTER_FRAME);
    while (size >= 6) {
        size_t length = input[5] < size - 6 ? input[5] : size - 6;
        hear(&leg, input[0], read_u32(input + 1), input + 6, length);
        input += 6 + length;
        size -= 6 + length;
    }
    voice_end(&leg.hearing);
    voice_end(&leg.speaking);
    return 0;
}
