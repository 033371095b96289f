#define _GNU_SOURCE
#include "report.h"

#include <string.h>

#include "moment.h"

enum { REPORT_INTERVAL_MS = 5000 };

static uint64_t ntp_at(const struct relay *relay, uint64_t now_ns)
{
    return rtcp_ntp(now_ns + relay->unix_offset_ns);
}

static void learn(struct relay *relay, struct leg *leg, const struct rtcp_news *news)
{
    struct account *account = &leg->account;
    account->heard_at_ns = relay->now_ns;
    if (news->has_sender_report) {
        leg->peer_report_ntp = news->ntp_middle;
        leg->peer_report_at_ns = relay->now_ns;
    }
    if (news->says_bye) {
        /* Of who left nothing is reported until it sends again (RFC 3550 6.3.4). */
        leg->peer_report_at_ns = 0;
        leg->reported_received = account->reception.packets;
    }
    if (!news->has_block)
        return;
    account->told_lost = news->block.cumulative_lost;
    account->told_jitter = news->block.jitter;
    account->told_clock_rate = leg->stream.clock_rate;
    double trip = rtcp_round_trip_ms(&news->block, (uint32_t)(ntp_at(relay, relay->now_ns) >> 16));
    if (trip >= 0)
        account->round_trip_ms = (float)trip;
}

void report_take(struct relay *relay, struct leg *leg, const uint8_t *packet, size_t size,
                 const union address *source)
{
    struct rtcp_news news;
    if (!rtcp_read(&news, packet, size, leg->stream.ssrc))
        leg->account.malformed++;
    else if (!latch_admit_beside(&leg->rtcp_latch, source, &leg->rtp_latch))
        leg->account.strangers++;
    else
        learn(relay, leg, &news);
}

void report_take_beside_rtp(struct relay *relay, struct leg *leg, const uint8_t *packet, size_t size,
                            const union address *source)
{
    struct rtcp_news news;
    const struct latch *latch = &leg->rtp_latch;
    bool is_known = latch->state == LATCH_OPEN ? latch_knows_host(latch, source)
                                               : address_is_equal(source, &latch->locked);
    if (!rtcp_read(&news, packet, size, leg->stream.ssrc))
        leg->account.malformed++;
    else if (!is_known)
        leg->account.strangers++;
    else
        learn(relay, leg, &news);
}

static struct rtcp_block block_about_peer(struct relay *relay, struct leg *leg)
{
    struct reception *reception = &leg->account.reception;
    account_open(leg);
    struct reception_report report = reception_report(reception);
    account_close(leg);
    uint64_t since_ns = relay->now_ns - leg->peer_report_at_ns;
    bool has_peer_report = leg->peer_report_at_ns != 0;
    struct rtcp_block block = {
        .ssrc = reception->ssrc,
        .fraction_lost = report.fraction_lost,
        .cumulative_lost = report.cumulative_lost,
        .newest = reception->newest - 0x10000u,
        .jitter = reception->jitter_x16 >> 4,
        .last_report = has_peer_report ? leg->peer_report_ntp : 0,
        .delay = has_peer_report ? (uint32_t)(since_ns / 1000 * 65536 / 1000000) : 0,
    };
    return block;
}

void report_send(struct relay *relay, struct leg *leg, bool says_bye)
{
    const union address *target = latch_target(&leg->rtcp_latch);
    if (!target)
        return;
    const struct account *account = &leg->account;
    struct rtcp_statement statement = {
        .ssrc = leg->stream.ssrc,
        .is_sender = account->sent_packets != leg->reported_sent,
        .ntp = ntp_at(relay, relay->now_ns),
        .rtp_timestamp = stream_timestamp_at(&leg->stream, relay->now_ns),
        .packets = (uint32_t)account->sent_packets,
        .octets = (uint32_t)account->sent_octets,
        .has_block = account->reception.packets != leg->reported_received,
        .says_bye = says_bye,
    };
    if (statement.has_block)
        statement.block = block_about_peer(relay, leg);
    memcpy(statement.cname, leg->cname, sizeof statement.cname);
    leg->reported_sent = account->sent_packets;
    leg->reported_received = account->reception.packets;
    uint8_t packet[RTCP_MAX_COMPOUND];
    size_t size = rtcp_write(packet, &statement);
    (void)sendto(leg->rtcp_fd, packet, size, MSG_DONTWAIT, &target->any, address_size(target));
}

void report_schedule(struct relay *relay, struct leg *leg, bool is_first)
{
    unsigned least = (is_first ? REPORT_INTERVAL_MS / 4u : REPORT_INTERVAL_MS / 2u) / RELAY_TICK_MS;
    unsigned ticks = least + (unsigned)(relay_chance(relay) % (2 * least));
    list_join(&relay->wheel[(relay->wheel_at + ticks) % RELAY_WHEEL], &leg->report_link);
}

void report_tick(struct relay *relay)
{
    struct link *due = &relay->wheel[relay->wheel_at];
    while (!list_is_empty(due)) {
        struct leg *leg = LIST_OWNER(due->next, struct leg, report_link);
        report_send(relay, leg, false);
        report_schedule(relay, leg, false);
    }
    relay->wheel_at = (relay->wheel_at + 1) % RELAY_WHEEL;
}
