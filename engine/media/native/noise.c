#define _GNU_SOURCE
#include "noise.h"

#include "speaker.h"

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

/* The peak of evenly spread noise is the square root of three times its effective value. */
static int32_t peak_of(unsigned level)
{
    static int32_t peaks[NOISE_FAINTEST + 1];
    if (level > NOISE_FAINTEST)
        level = NOISE_FAINTEST;
    if (!peaks[level]) {
        double peak = 32768.0 * 1.7320508;
        for (unsigned i = 0; i < level; i++)
            peak *= 0.8912509; /* a decibel less */
        peaks[level] = peak > 32767.0 ? 32767 : (int32_t)peak + 1;
    }
    return peaks[level];
}

void noise_fill(uint32_t *seed, unsigned level, int16_t *samples, size_t count)
{
    int32_t peak = peak_of(level);
    for (size_t i = 0; i < count; i++)
        samples[i] = (int16_t)(((int32_t)next(seed) - 32768) * peak / 32768);
}

void noise_hear(struct relay *relay, struct leg *leg, const uint8_t *payload, size_t size)
{
    struct noise *noise = &leg->noise;
    if (size < 1)
        return;
    noise->level = payload[0] & 0x7f;
    if (noise->is_on)
        return;
    noise->is_on = true;
    noise->source = (struct rtp_header){0};
    leg->account.is_quiet = true;
    list_join(&relay->quiet, &noise->link);
}

void noise_end(struct leg *leg)
{
    struct noise *noise = &leg->noise;
    if (!noise->is_on)
        return;
    noise->is_on = false;
    leg->account.is_quiet = false;
    list_leave(&noise->link);
    if (leg->other && noise->source.sequence && !speaker_is_busy(leg->other))
        stream_change_source(&leg->other->stream);
}

/* Clips, digits and a peer that may not be heard go before; then it begins again. */
static void make_heard(struct relay *relay, struct leg *leg)
{
    struct noise *noise = &leg->noise;
    struct leg *target = leg->other;
    int16_t samples[SPEAKER_TICK_SAMPLES];
    if (!target || !leg->plan.receives || target->player.clip || speaker_is_busy(target) ||
        plan_knows_noise(&target->plan)) {
        noise->source = (struct rtp_header){0};
        return;
    }
    if (noise->source.sequence == 0)
        stream_change_source(&target->stream);
    noise_fill(&noise->seed, noise->level, samples, SPEAKER_TICK_SAMPLES);
    noise->source.sequence++;
    noise->source.timestamp += SPEAKER_TICK_SAMPLES;
    speaker_send(relay, target, &noise->source, samples, SPEAKER_TICK_SAMPLES, false);
}

void noise_tick(struct relay *relay)
{
    for (struct link *link = relay->quiet.next; link != &relay->quiet; link = link->next)
        make_heard(relay, LIST_OWNER(link, struct leg, noise.link));
}
