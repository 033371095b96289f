#define _GNU_SOURCE
#include "player.h"

#include "mix.h"
#include "speaker.h"

enum { TICK_SAMPLES = SPEAKER_TICK_SAMPLES, MOST_TICKS = SPEAKER_MOST_TICKS };

/* In a mix the mix goes on speaking. */
static void change_source(struct leg *leg)
{
    if (!leg->member)
        stream_change_source(&leg->stream);
}

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
    change_source(leg);
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
    change_source(leg);
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

/* A frame is as long as the peer's ptime in whole ticks, at most MOST_TICKS; in a mix it is heard over the others. */
static void play_tick(struct relay *relay, struct leg *leg)
{
    struct player *player = &leg->player;
    if (player->ticks_to_wait > 0) {
        player->ticks_to_wait--;
        return;
    }
    if (player->at == player->clip->samples && !player->repeats) {
        struct notice notice = {.leg = leg->id, .kind = NOTICE_PLAYED, .value = player->serial};
        player_end(leg);
        notices_tell(&relay->notices, &notice);
        return;
    }
    int ticks = leg->member ? 1 : leg->plan.packet_ms / RELAY_TICK_MS;
    ticks = ticks < 1 ? 1 : ticks > MOST_TICKS ? MOST_TICKS : ticks;
    size_t count = (size_t)ticks * TICK_SAMPLES;
    int16_t samples[TICK_SAMPLES * MOST_TICKS];
    player->at = clip_read(player->clip, player->at, samples, count, player->repeats);
    player->ticks_to_wait = (unsigned)ticks - 1;
    if (player->is_ending)
        fade_out(samples, count);
    if (leg->member)
        mix_overlay(leg, samples);
    else if (!speaker_sends_digit(leg))
        speaker_send(relay, leg, &player->source, samples, count, false);
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
