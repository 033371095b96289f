#include "ear.h"

#include <stdlib.h>

struct ear *ear_open(struct relay *relay, struct leg *leg)
{
    struct ear *ear = leg->ear;
    if (!ear) {
        ear = calloc(1, sizeof *ear);
        if (!ear)
            return NULL;
        ear->leg = leg;
        jitter_begin(&ear->jitter, JITTER_FRAME);
        list_begin(&ear->link);
        list_join(&relay->ears, &ear->link);
        leg->ear = ear;
    }
    ear->uses++;
    return ear;
}

void ear_close(struct leg *leg)
{
    struct ear *ear = leg->ear;
    if (--ear->uses > 0)
        return;
    list_leave(&ear->link);
    leg->ear = NULL;
    free(ear);
}

void ear_take(struct leg *leg, uint32_t timestamp, uint32_t clock_rate, bool is_wide, const int16_t *samples,
              size_t count)
{
    struct ear *ear = leg->ear;
    int16_t other[CODEC_MOST_WIDE];
    /* Of two clocks of 8000 Hz the timestamp stays as it is; a wide one counts every sample. */
    uint32_t at = scale_timestamp(&ear->clock, timestamp, clock_rate, CODEC_RATE) * (ear->is_wide ? 2 : 1);
    if (ear->is_wide == is_wide) {
        jitter_put(&ear->jitter, at, samples, count);
    } else if (is_wide) {
        bank_halve(&ear->halving, other, samples, count / 2);
        jitter_put(&ear->jitter, at, other, count / 2);
    } else {
        bank_double(&ear->doubling, other, samples, count);
        jitter_put(&ear->jitter, at, other, 2 * count);
    }
}

void ear_forget(struct leg *leg)
{
    if (leg->ear)
        jitter_begin(&leg->ear->jitter, leg->ear->jitter.frame);
}

void ear_set_wide(struct ear *ear, bool is_wide)
{
    if (ear->is_wide == is_wide)
        return;
    ear->is_wide = is_wide;
    jitter_begin(&ear->jitter, is_wide ? JITTER_MOST_FRAME : JITTER_FRAME);
}

void ear_widen(struct ear *ear)
{
    if (!ear->is_wide)
        bank_double(&ear->doubling, ear->wide, ear->frame, JITTER_FRAME);
}

/* A peer that has said how its silence sounds sounds so, instead of like the last that was heard of it. */
static void take_frame(struct ear *ear)
{
    struct noise *noise = &ear->leg->noise;
    int16_t *frame = ear->is_wide ? ear->wide : ear->frame;
    enum jitter_find find = jitter_take(&ear->jitter, frame);
    if (find != JITTER_AUDIO && noise->is_on) {
        noise_fill(&noise->seed, noise->level, frame, ear->jitter.frame);
        find = JITTER_CONCEALED;
    }
    ear->is_audible = find != JITTER_NOTHING;
    if (ear->is_wide)
        bank_halve(&ear->halving, ear->frame, ear->wide, JITTER_FRAME);
}

void ear_listen(struct relay *relay, struct leg *leg, bool listens)
{
    if (listens == (leg->ear && leg->ear->listens))
        return;
    if (!listens) {
        leg->ear->listens = false;
        ear_close(leg);
        return;
    }
    struct ear *ear = ear_open(relay, leg);
    if (!ear)
        return;
    ear->listens = true;
    dtmf_listen(&ear->dtmf);
}

/* A peer that sends events is believed in these alone: the tones that leak into its audio would be second presses. */
static void hear_tones(struct relay *relay, struct ear *ear)
{
    int event = dtmf_hear(&ear->dtmf, ear->frame, JITTER_FRAME);
    if (event >= 0 && !ear->leg->events.has_heard)
        notices_tell(&relay->notices, &(struct notice){.leg = ear->leg->id, .kind = NOTICE_DIGIT,
                                                       .value = (uint32_t)digits_of_event((unsigned)event)});
}

void ear_tick(struct relay *relay)
{
    for (struct link *link = relay->ears.next; link != &relay->ears; link = link->next) {
        struct ear *ear = LIST_OWNER(link, struct ear, link);
        take_frame(ear);
        if (ear->listens)
            hear_tones(relay, ear);
    }
}
