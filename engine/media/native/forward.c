#define _GNU_SOURCE
#include "forward.h"

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

/* The peer's audio as samples, for whoever needs them: the leg's ear, or a peer that speaks another codec. */
static void decode(struct leg *leg, const struct route *route, const uint8_t *packet, const struct rtp_header *header,
                   int16_t *samples)
{
    codec_decode(route->codec, &leg->hearing, samples, packet + header->payload_at, header->payload_size);
    if (leg->ear)
        ear_take(leg, header->timestamp, samples, header->payload_size);
}

/* What a packet says to us: digits, and audio that is needed as samples. */
static bool hear(struct relay *relay, struct leg *leg, const struct route *route, const uint8_t *packet,
                   const struct rtp_header *header, int16_t *samples)
{
    if (route->is_event && leg->events.listens)
        digits_hear(relay, leg, header, packet + header->payload_at);
    bool is_needed = route->codec != CODEC_NONE && (leg->ear || route->into != CODEC_NONE) &&
                     header->payload_size <= CODEC_MOST_SAMPLES;
    if (is_needed)
        decode(leg, route, packet, header, samples);
    return is_needed;
}

/* Rewrites an RTP packet for the other leg's peer; false when it goes nowhere. */
static bool prepare(struct relay *relay, struct leg *leg, uint8_t *packet, struct rtp_header *header)
{
    struct account *account = &leg->account;
    const struct route *route = &leg->routes[header->payload_type];
    enum reception_verdict verdict =
        reception_take(&account->reception, header, route->is_event ? 0 : route->clock_rate, relay->now_ns);
    if (verdict == RECEPTION_DUPLICATE || verdict == RECEPTION_SUSPECT)
        return false;
    struct leg *target = leg->other;
    if (verdict == RECEPTION_NEW_SOURCE) {
        hold_back(target);
        ear_forget(leg);
        leg->events.has_heard = false;
    }
    int16_t samples[CODEC_MOST_SAMPLES];
    bool has_samples = hear(relay, leg, route, packet, header, samples);
    if (!route->clock_rate)
        account->unexpected_payload++;
    if (!may_reach(leg, target)) {
        hold_back(target);
        return false;
    }
    if (route->becomes == ROUTE_NOWHERE) {
        account->unexpected_payload += route->clock_rate != 0;
        stream_leave_out(&target->stream, header->sequence);
        return false;
    }
    if (target->player.is_ending)
        player_end(target);
    if (route->into != CODEC_NONE) {
        if (!has_samples)
            return false;
        codec_encode(route->into, &target->speaking, packet + header->payload_at, samples, header->payload_size);
    }
    header->payload_type = route->becomes;
    if (!stream_place(&target->stream, header, route->clock_rate, relay->now_ns))
        return false;
    rtp_write(packet, header);
    return true;
}

/* Takes a datagram of the RTP port into the account; false when it is not to be sent on. */
static bool take_rtp(struct relay *relay, struct leg *leg, size_t size, const union address *source,
                     struct rtp_header *header)
{
    struct account *account = &leg->account;
    if (rtp_is_rtcp(relay->packet, size)) {
        report_take_beside_rtp(relay, leg, relay->packet, size, source);
        return false;
    }
    if (!rtp_read(header, relay->packet, size)) {
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
    return prepare(relay, leg, relay->packet, header);
}

static void send_on(struct relay *relay, struct leg *target, size_t size, uint32_t payload_size)
{
    const union address *peer = latch_target(&target->rtp_latch);
    if (sendto(target->rtp_fd, relay->packet, size, MSG_DONTWAIT, &peer->any, address_size(peer)) < 0)
        return;
    account_open(target);
    target->account.sent_packets++;
    target->account.sent_octets += payload_size;
    account_close(target);
}

static void forward_rtp(struct relay *relay, struct leg *leg, size_t size, const union address *source)
{
    struct rtp_header header;
    account_open(leg);
    bool goes_on = take_rtp(relay, leg, size, source, &header);
    account_close(leg);
    if (goes_on)
        send_on(relay, leg->other, size, header.payload_size);
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
        send_on(relay, target, size, (uint32_t)size);
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
