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
        jitter_begin(&ear->jitter);
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

void ear_take(struct leg *leg, uint32_t timestamp, const int16_t *samples, size_t count)
{
    jitter_put(&leg->ear->jitter, timestamp, samples, count);
}

void ear_forget(struct leg *leg)
{
    if (leg->ear)
        jitter_begin(&leg->ear->jitter);
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
        ear->is_audible = jitter_take(&ear->jitter, ear->frame);
        if (ear->listens)
            hear_tones(relay, ear);
    }
}
