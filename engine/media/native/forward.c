#define _GNU_SOURCE
#include "forward.h"

#include "bytes.h"
#include "digits.h"
#include "ear.h"
#include "moment.h"
#include "player.h"
#include "report.h"
#include "rest.h"
#include "speaker.h"

/* A packet held back by policy must not look lost to the peer, so what follows it counts as another source. */
static void hold_back(struct leg *target)
{
    if (target && !target->player.clip)
        stream_change_source(&target->stream);
}

static bool may_reach(const struct leg *leg, const struct leg *target)
{
    return leg->plan.receives && target && !speaker_is_busy(target) && target->plan.sends &&
           latch_target(&target->rtp_latch);
}

/* The peer's audio as samples, and how many. */
struct heard {
    bool is_wide;
    size_t count;
    int16_t samples[CODEC_MOST_WIDE];
};

/* Whether somebody needs the peer's audio as samples: the leg's ear, or a peer that speaks another codec. */
static bool is_needed(const struct leg *leg, const struct route *route)
{
    return route->codec != CODEC_NONE && (leg->ear || route->into != CODEC_NONE);
}

static void begin_hearing(struct heard *heard, const struct leg *leg, const struct route *route)
{
    heard->is_wide = route->is_wide || (leg->ear && leg->ear->is_wide && codec_is_wide(route->codec));
    heard->count = 0;
}

/* What a packet says to us: digits, silence, and audio that is needed as samples. */
static void hear(struct relay *relay, struct leg *leg, const struct route *route, const uint8_t *packet,
                 const struct rtp_header *header, struct heard *heard)
{
    const uint8_t *payload = packet + header->payload_at;
    if (route->is_event && leg->events.listens)
        digits_hear(relay, leg, header, payload);
    if (route->is_noise)
        noise_hear(relay, leg, payload, header->payload_size);
    else if (leg->noise.is_on && route->clock_rate && !route->is_event)
        noise_end(leg);
    begin_hearing(heard, leg, route);
    if (!is_needed(leg, route))
        return;
    heard->count = voice_decode(&leg->hearing, route->codec, heard->is_wide, heard->samples, payload,
                                header->payload_size);
    if (leg->ear && heard->count)
        ear_take(leg, header->timestamp, route->clock_rate, heard->is_wide, heard->samples, heard->count);
}

/* Payloads of another clock are another source to the peer, whose timestamps they must not disturb. */
static void heed_clock(struct leg *leg, struct leg *target, const struct route *route)
{
    if (leg->relayed_clock && leg->relayed_clock != route->clock_rate)
        stream_change_source(&target->stream);
    leg->relayed_clock = route->clock_rate;
}

/* The duration of an event in units of the other leg's clock (RFC 4733 section 2.3). */
static void reclock_event(uint8_t *payload, const struct rtp_header *header, const struct route *route)
{
    if (header->payload_size < 4)
        return;
    uint64_t duration = (uint64_t)read_u16(payload + 2) * route->clock_of_other / route->clock_rate;
    write_u16(payload + 2, (uint16_t)(duration > UINT16_MAX ? UINT16_MAX : duration));
}

/* Puts the audio into the packet as the other leg speaks it; false when that cannot be done. */
static bool convert(struct leg *target, const struct route *route, uint8_t *packet, struct rtp_header *header,
                    const struct heard *heard)
{
    if (!heard->count)
        return false;
    size_t size = voice_encode(&target->speaking, route->into, heard->is_wide, packet + RTP_HEADER_SIZE, heard->samples,
                               heard->count);
    packet[0] = 0x80; /* without extension and padding, which went with the old payload */
    header->payload_at = RTP_HEADER_SIZE;
    header->payload_size = (uint32_t)size;
    return size > 0;
}

static void send_on(struct leg *target, const uint8_t *packet, size_t size, uint32_t payload_size)
{
    const union address *peer = latch_target(&target->rtp_latch);
    if (sendto(target->rtp_fd, packet, size, MSG_DONTWAIT, &peer->any, address_size(peer)) < 0)
        return;
    account_open(target);
    target->account.sent_packets++;
    target->account.sent_octets += payload_size;
    account_close(target);
}

/* Numbers the packet for the other leg's peer; false when it comes too late. */
static bool number(struct relay *relay, struct leg *leg, const struct route *route, uint8_t *packet,
                   struct rtp_header *header)
{
    header->payload_type = route->becomes;
    header->timestamp = scale_timestamp(&leg->relayed, header->timestamp, route->clock_rate, route->clock_of_other);
    if (!stream_place(&leg->other->stream, header, route->clock_of_other, relay->now_ns))
        return false;
    rtp_write(packet, header);
    return true;
}

/* A single lost packet whose successor carries it as well is made of that. */
static void recover(struct relay *relay, struct leg *leg, const struct route *route, const uint8_t *packet,
                    const struct rtp_header *header, bool reaches)
{
    struct heard heard;
    struct rtp_header lost = *header;
    uint8_t made[RTP_HEADER_SIZE + CODEC_MOST_OCTETS];
    begin_hearing(&heard, leg, route);
    heard.count = voice_recover(&leg->hearing, route->codec, heard.is_wide, heard.samples,
                                packet + header->payload_at, header->payload_size);
    if (!heard.count)
        return;
    lost.marker = false;
    lost.sequence--;
    lost.timestamp -= (uint32_t)heard.count * (route->clock_rate / CODEC_RATE) / (heard.is_wide ? 2 : 1);
    if (leg->ear)
        ear_take(leg, lost.timestamp, route->clock_rate, heard.is_wide, heard.samples, heard.count);
    if (reaches && route->into != CODEC_NONE && convert(leg->other, route, made, &lost, &heard) &&
        number(relay, leg, route, made, &lost))
        send_on(leg->other, made, RTP_HEADER_SIZE + lost.payload_size, lost.payload_size);
}

static bool follows_a_gap(const struct reception *reception, const struct rtp_header *header)
{
    return reception->has_source && header->ssrc == reception->ssrc &&
           header->sequence == (uint16_t)(reception->newest + 2);
}

/* Rewrites an RTP packet for the other leg's peer; false when it goes nowhere. */
static bool prepare(struct relay *relay, struct leg *leg, uint8_t *packet, struct rtp_header *header)
{
    struct account *account = &leg->account;
    const struct route *route = &leg->routes[header->payload_type];
    bool is_recoverable = route->codec == CODEC_OPUS && is_needed(leg, route);
    bool has_lost = is_recoverable && follows_a_gap(&account->reception, header);
    enum reception_verdict verdict =
        reception_take(&account->reception, header, route->is_event ? 0 : route->clock_rate, relay->now_ns);
    if (verdict == RECEPTION_DUPLICATE || verdict == RECEPTION_SUSPECT)
        return false;
    if (verdict == RECEPTION_LATE && is_recoverable)
        return false; /* its successor stood in for it */
    struct leg *target = leg->other;
    if (verdict == RECEPTION_NEW_SOURCE) {
        hold_back(target);
        ear_forget(leg);
        noise_end(leg);
        leg->events.has_heard = false;
    }
    bool reaches = may_reach(leg, target) && route->becomes != ROUTE_NOWHERE;
    if (has_lost)
        recover(relay, leg, route, packet, header, reaches);
    struct heard heard;
    hear(relay, leg, route, packet, header, &heard);
    if (!route->clock_rate)
        account->unexpected_payload++;
    if (!may_reach(leg, target)) {
        hold_back(target);
        return false;
    }
    if (route->becomes == ROUTE_NOWHERE) {
        account->unexpected_payload += route->clock_rate != 0 && !route->is_noise;
        stream_leave_out(&target->stream, header->sequence);
        return false;
    }
    if (target->player.is_ending)
        player_end(target);
    heed_clock(leg, target, route);
    if (route->into != CODEC_NONE && !convert(target, route, packet, header, &heard))
        return false;
    if (route->is_event && route->clock_rate != route->clock_of_other)
        reclock_event(packet + header->payload_at, header, route);
    return number(relay, leg, route, packet, header);
}

/* Takes a datagram of the RTP port into the account; false when it is not to be sent on. What is converted has another
 * size. */
static bool take_rtp(struct relay *relay, struct leg *leg, size_t *size, const union address *source,
                     struct rtp_header *header)
{
    struct account *account = &leg->account;
    if (rtp_is_rtcp(relay->packet, *size)) {
        report_take_beside_rtp(relay, leg, relay->packet, *size, source);
        return false;
    }
    if (!rtp_read(header, relay->packet, *size)) {
        account->malformed++;
        return false;
    }
    if (!latch_admit(&leg->rtp_latch, source)) {
        account->strangers++;
        return false;
    }
    if (leg->rtp_latch.state != LATCH_OPEN)
        account->latched = leg->rtp_latch.locked;
    account->heard_at_ns = relay->now_ns;
    uint32_t payload_at = header->payload_at, payload_size = header->payload_size;
    bool goes_on = prepare(relay, leg, relay->packet, header);
    if (payload_at != header->payload_at || payload_size != header->payload_size)
        *size = header->payload_at + header->payload_size;
    return goes_on;
}

static void forward_rtp(struct relay *relay, struct leg *leg, size_t size, const union address *source)
{
    struct rtp_header header;
    account_open(leg);
    bool goes_on = take_rtp(relay, leg, &size, source, &header);
    account_close(leg);
    if (goes_on)
        send_on(leg->other, relay->packet, size, header.payload_size);
}

/* RTP that was on its way when its source turned to datagrams: its peer would take it for one of them. */
static bool is_late_rtp(const struct leg *leg, const uint8_t *packet, size_t size)
{
    const struct reception *reception = &leg->account.reception;
    struct rtp_header header;
    return reception->has_source && rtp_read(&header, packet, size) && header.ssrc == reception->ssrc;
}

/* A datagram of a leg without RTP goes to the other leg's peer as it is. */
static void pass_on(struct relay *relay, struct leg *leg, size_t size, const union address *source)
{
    struct account *account = &leg->account;
    account_open(leg);
    bool is_admitted = latch_admit(&leg->rtp_latch, source);
    if (!is_admitted) {
        account->strangers++;
    } else {
        if (leg->rtp_latch.state != LATCH_OPEN)
            account->latched = leg->rtp_latch.locked;
        account->heard_at_ns = relay->now_ns;
    }
    account_close(leg);
    struct leg *target = leg->other;
    if (is_admitted && target && target->plan.is_datagrams && may_reach(leg, target) &&
        !is_late_rtp(leg, relay->packet, size))
        send_on(target, relay->packet, size, (uint32_t)size);
}

static void consume_rtcp(struct relay *relay, struct leg *leg, size_t size, const union address *source)
{
    account_open(leg);
    report_take(relay, leg, relay->packet, size, source);
    account_close(leg);
}

static void refuse(struct leg *leg)
{
    account_open(leg);
    leg->account.malformed++;
    account_close(leg);
}

void forward_from(struct relay *relay, struct port *port)
{
    union address source = {0};
    socklen_t source_size = sizeof source;
    ssize_t size = recvfrom(port->fd, relay->packet, sizeof relay->packet, MSG_DONTWAIT | MSG_TRUNC, &source.any,
                            &source_size);
    if (size < 0)
        return;
    relay->now_ns = moment_now_ns();
    /* A command given before this packet was sent must be obeyed before it is. */
    if (relay_has_commands(relay))
        relay_obey(relay);
    struct leg *leg = port->leg;
    if (!leg)
        rest_hear(relay, port->pair);
    else if ((size_t)size > sizeof relay->packet)
        refuse(leg);
    else if (port->is_rtcp)
        consume_rtcp(relay, leg, (size_t)size, &source);
    else if (leg->plan.is_datagrams)
        pass_on(relay, leg, (size_t)size, &source);
    else
        forward_rtp(relay, leg, (size_t)size, &source);
}
