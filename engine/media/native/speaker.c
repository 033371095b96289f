#define _GNU_SOURCE
#include "speaker.h"

#include <string.h>

void speaker_send_payload(struct relay *relay, struct leg *leg, const struct rtp_header *source, uint32_t clock_rate,
                          const uint8_t *payload, size_t size)
{
    uint8_t packet[RTP_HEADER_SIZE + CODEC_MOST_OCTETS];
    struct rtp_header header = *source;
    const union address *target = latch_target(&leg->rtp_latch);
    if (!target || !leg->plan.sends) {
        stream_change_source(&leg->stream);
        return;
    }
    if (!stream_place(&leg->stream, &header, clock_rate, relay->now_ns))
        return;
    packet[0] = 0x80;
    rtp_write(packet, &header);
    memcpy(packet + RTP_HEADER_SIZE, payload, size);
    if (sendto(leg->rtp_fd, packet, RTP_HEADER_SIZE + size, MSG_DONTWAIT, &target->any, address_size(target)) < 0)
        return;
    account_open(leg);
    leg->account.sent_packets++;
    leg->account.sent_octets += size;
    account_close(leg);
}

void speaker_send(struct relay *relay, struct leg *leg, const struct rtp_header *source, const int16_t *samples,
                  size_t count, bool is_wide)
{
    uint8_t payload[CODEC_MOST_OCTETS];
    struct rtp_header header = *source;
    enum codec codec = plan_playable(&leg->plan, &header.payload_type);
    if (codec == CODEC_NONE) {
        stream_change_source(&leg->stream);
        return;
    }
    size_t size = voice_encode(&leg->speaking, codec, is_wide, payload, samples, count);
    header.timestamp *= codec_clock(codec) / CODEC_RATE;
    if (size > 0)
        speaker_send_payload(relay, leg, &header, codec_clock(codec), payload, size);
}
