/* Sending audio of our own to a peer: clips, mixes, tones. */
#ifndef FRONTDESK_SPEAKER_H
#define FRONTDESK_SPEAKER_H

#include "relay.h"

enum { SPEAKER_TICK_SAMPLES = CODEC_RATE / 1000 * RELAY_TICK_MS, SPEAKER_MOST_TICKS = 3 };

/* Sends samples, at most as many as SPEAKER_MOST_TICKS hold, in the leg's first codec; source is their place in the
 * sender's own numbering in units of 8000 Hz, which the stream maps like any other source. What cannot be sent is left
 * out. Wide samples are twice as many, and for legs whose codec is wide. */
void speaker_send(struct relay *relay, struct leg *leg, const struct rtp_header *source, const int16_t *samples,
                  size_t count, bool is_wide);

/* Sends a payload of any kind under the same rules; clock_rate is the payload type's. */
void speaker_send_payload(struct relay *relay, struct leg *leg, const struct rtp_header *source, uint32_t clock_rate,
                          const uint8_t *payload, size_t size);

/* Whether a digit goes to the peer; in the pause behind it other audio may. */
static inline bool speaker_sends_digit(const struct leg *leg)
{
    return leg->sender.phase != SENDER_IDLE && leg->sender.phase != SENDER_GAP;
}

/* Whether something of our own goes to the peer, so that whatever else would must rest. */
static inline bool speaker_is_busy(const struct leg *leg)
{
    return (leg->player.clip && !leg->player.is_ending) || speaker_sends_digit(leg);
}

#endif
