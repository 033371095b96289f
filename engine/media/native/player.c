#define _GNU_SOURCE
#include "player.h"

#include "g711.h"

enum { CLOCK_RATE = 8000, TICK_SAMPLES = CLOCK_RATE / 1000 * RELAY_TICK_MS, MOST_TICKS = 3 };

void player_begin(struct relay *relay, struct leg *leg, struct clip *clip, bool repeats, unsigned serial)
{
    player_end(leg);
    leg->player.clip = clip;
    leg->player.at = 0;
    leg->player.repeats = repeats;
    leg->player.is_ending = false;
    leg->player.serial = serial;
    leg->player.ticks_to_wait = 0;
    leg->player.source = (struct rtp_header){0};
    stream_change_source(&leg->stream);
    list_join(&relay->players, &leg->player.link);
}

void player_end(struct leg *leg)
{
    struct player *player = &leg->player;
    if (!player->clip)
        return;
    list_leave(&player->link);
    clip_release(player->clip);
    player->clip = NULL;
    player->is_ending = false;
    stream_change_source(&leg->stream);
    atomic_store_explicit(&leg->plays_ended, player->serial, memory_order_release);
}

void player_stop(struct leg *leg)
{
    struct player *player = &leg->player;
    bool has_ended = player->clip && !player->repeats && player->at == player->clip->samples;
    if (!player->clip || player->at == 0 || has_ended) {
        player_end(leg);
        return;
    }
    player->is_ending = true;
    atomic_store_explicit(&leg->plays_ended, player->serial, memory_order_release);
}

static void fade_out(int16_t *samples, size_t count)
{
    for (size_t i = 0; i < count; i++)
        samples[i] = (int16_t)(samples[i] * (int)(count - 1 - i) / (int)count);
}

static void send_frame(struct relay *relay, struct leg *leg, const int16_t *samples, size_t count)
{
    uint8_t packet[RTP_HEADER_SIZE + TICK_SAMPLES * MOST_TICKS];
    struct rtp_header header = leg->player.source;
    enum g711_law law = plan_playable(&leg->plan, &header.payload_type);
    const union address *target = latch_target(&leg->rtp_latch);
    if (law == G711_NONE || !target || !leg->plan.sends) {
        stream_change_source(&leg->stream);
        return;
    }
    if (!stream_place(&leg->stream, &header, CLOCK_RATE, relay->now_ns))
        return;
    packet[0] = 0x80;
    rtp_write(packet, &header);
    g711_encode(packet + RTP_HEADER_SIZE, samples, count, law);
    if (sendto(leg->rtp_fd, packet, RTP_HEADER_SIZE + count, MSG_DONTWAIT, &target->any, address_size(target)) < 0)
        return;
    account_open(leg);
    leg->account.sent_packets++;
    leg->account.sent_octets += count;
    account_close(leg);
}

/* A frame is as long as the peer's ptime in whole ticks, at most MOST_TICKS. */
static void play_tick(struct relay *relay, struct leg *leg)
{
    struct player *player = &leg->player;
    if (player->ticks_to_wait > 0) {
        player->ticks_to_wait--;
        return;
    }
    if (player->at == player->clip->samples && !player->repeats) {
        player_end(leg);
        return;
    }
    int ticks = leg->plan.packet_ms / RELAY_TICK_MS;
    ticks = ticks < 1 ? 1 : ticks > MOST_TICKS ? MOST_TICKS : ticks;
    size_t count = (size_t)ticks * TICK_SAMPLES;
    int16_t samples[TICK_SAMPLES * MOST_TICKS];
    player->at = clip_read(player->clip, player->at, samples, count, player->repeats);
    player->ticks_to_wait = (unsigned)ticks - 1;
    if (player->is_ending)
        fade_out(samples, count);
    send_frame(relay, leg, samples, count);
    if (player->is_ending) {
        player_end(leg);
        return;
    }
    player->source.sequence++;
    player->source.timestamp += (uint32_t)count;
}

void player_tick(struct relay *relay)
{
    struct link *next;
    for (struct link *link = relay->players.next; link != &relay->players; link = next) {
        next = link->next;
        play_tick(relay, LIST_OWNER(link, struct leg, player.link));
    }
}
