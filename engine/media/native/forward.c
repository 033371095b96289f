#define _GNU_SOURCE
#include "forward.h"

#include "moment.h"
#include "report.h"

static bool is_playing(const struct leg *leg)
{
    return leg->player.clip != NULL;
}

/* A packet held back by policy must not look lost to the peer, so what follows it counts as another source. */
static void hold_back(struct leg *target)
{
    if (target && !is_playing(target))
        stream_change_source(&target->stream);
}

static bool may_reach(const struct leg *leg, const struct leg *target)
{
    return leg->plan.receives && target && !is_playing(target) && target->plan.sends &&
           latch_target(&target->rtp_latch);
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
    if (verdict == RECEPTION_NEW_SOURCE)
        hold_back(target);
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
    header->payload_type = route->becomes;
    if (!stream_place(&target->stream, header, route->clock_rate, relay->now_ns))
        return false;
    rtp_write(packet, header);
    return true;
}

/* Takes one datagram of the RTP port into the account; false when it is not to be sent on. */
static bool take_rtp(struct relay *relay, struct leg *leg, int index, struct rtp_header *header)
{
    struct account *account = &leg->account;
    uint8_t *packet = relay->packet[index];
    size_t size = relay->in[index].msg_len;
    const union address *source = &relay->source[index];
    if (relay->in[index].msg_hdr.msg_flags & MSG_TRUNC) {
        account->malformed++;
        return false;
    }
    if (rtp_is_rtcp(packet, size)) {
        report_take_beside_rtp(relay, leg, packet, size, source);
        return false;
    }
    if (!rtp_read(header, packet, size)) {
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
    return prepare(relay, leg, packet, header);
}

static void send_on(struct relay *relay, struct leg *target, int count, uint64_t payload_octets)
{
    int sent = count == 1 ? (sendmsg(target->rtp.fd, &relay->out[0].msg_hdr, MSG_DONTWAIT) >= 0)
                          : sendmmsg(target->rtp.fd, relay->out, (unsigned)count, MSG_DONTWAIT);
    if (sent <= 0)
        return;
    account_open(target);
    target->account.sent_packets += (unsigned)sent;
    target->account.sent_octets += payload_octets * (unsigned)sent / (unsigned)count;
    account_close(target);
}

static void forward_rtp(struct relay *relay, struct leg *leg, int count)
{
    int ready = 0;
    uint64_t payload_octets = 0;
    account_open(leg);
    for (int i = 0; i < count; i++) {
        struct rtp_header header;
        if (!take_rtp(relay, leg, i, &header))
            continue;
        const union address *target = latch_target(&leg->other->rtp_latch);
        relay->out_space[ready].iov_base = relay->packet[i];
        relay->out_space[ready].iov_len = relay->in[i].msg_len;
        relay->out[ready].msg_hdr.msg_name = (void *)(uintptr_t)target;
        relay->out[ready].msg_hdr.msg_namelen = address_size(target);
        payload_octets += header.payload_size;
        ready++;
    }
    account_close(leg);
    if (ready > 0)
        send_on(relay, leg->other, ready, payload_octets);
}

static void consume_rtcp(struct relay *relay, struct leg *leg, int count)
{
    account_open(leg);
    for (int i = 0; i < count; i++) {
        if (relay->in[i].msg_hdr.msg_flags & MSG_TRUNC)
            leg->account.malformed++;
        else
            report_take(relay, leg, relay->packet[i], relay->in[i].msg_len, &relay->source[i]);
    }
    account_close(leg);
}

void forward_from(struct relay *relay, struct port *port)
{
    struct leg *leg = port->leg;
    if (leg->is_closed)
        return;
    for (int i = 0; i < RELAY_BATCH; i++)
        relay->in[i].msg_hdr.msg_namelen = sizeof relay->source[i];
    int count = recvmmsg(port->fd, relay->in, RELAY_BATCH, MSG_DONTWAIT, NULL);
    if (count <= 0)
        return;
    relay->now_ns = moment_now_ns();
    /* A command given before these packets were sent must be obeyed before they are. */
    if (relay_has_commands(relay)) {
        relay_obey(relay);
        if (leg->is_closed)
            return;
    }
    if (port->is_rtcp)
        consume_rtcp(relay, leg, count);
    else
        forward_rtp(relay, leg, count);
}
