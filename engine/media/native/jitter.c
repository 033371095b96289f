#include "jitter.h"

#include <string.h>

enum {
    GRAIN = 8, /* samples: the payloads of every packet time are whole grains */
    DELAY = 2, /* frames */
    DEEP = 4,  /* frames */
    PATIENCE = 50, /* ticks of more delay than needed before a frame is left out */
    MOST_CONCEALED = 3,
};

void jitter_begin(struct jitter *jitter, uint32_t frame)
{
    jitter->frame = frame;
    jitter->has_begun = false;
    jitter->deep = jitter->missing = 0;
    memset(jitter->is_there, 0, sizeof jitter->is_there);
    memset(jitter->last, 0, sizeof jitter->last);
}

static void restart(struct jitter *jitter, uint32_t timestamp)
{
    memset(jitter->is_there, 0, sizeof jitter->is_there);
    jitter->at = timestamp - DELAY * jitter->frame;
    jitter->newest = timestamp;
    jitter->deep = jitter->missing = 0;
    jitter->has_begun = true;
}

void jitter_put(struct jitter *jitter, uint32_t timestamp, const int16_t *samples, size_t count)
{
    timestamp -= timestamp % GRAIN;
    count -= count % GRAIN;
    if (!jitter->has_begun)
        restart(jitter, timestamp);
    int32_t ahead = (int32_t)(timestamp - jitter->at), most = (int32_t)(JITTER_SAMPLES - jitter->frame);
    if (ahead < 0 && ahead > -most)
        return; /* its turn is over */
    if (ahead < 0 || ahead > most - (int32_t)count)
        restart(jitter, timestamp);
    for (size_t i = 0; i < count; i++)
        jitter->sample[(timestamp + i) % JITTER_SAMPLES] = samples[i]; /* 4096 divides the wrap of timestamps */
    for (size_t i = 0; i < count; i += GRAIN)
        jitter->is_there[(timestamp + i) % JITTER_SAMPLES / GRAIN] = true;
    uint32_t end = timestamp + (uint32_t)count;
    if ((int32_t)(end - jitter->newest) > 0)
        jitter->newest = end;
}

/* What is missing sounds like what was before, ever softer. */
static void conceal(struct jitter *jitter, int16_t *out, size_t from, size_t count)
{
    int loudness = MOST_CONCEALED - (int)jitter->missing;
    for (size_t i = 0; i < count; i++)
        out[i] = (int16_t)(loudness > 0 ? jitter->last[from + i] * loudness / (MOST_CONCEALED + 1) : 0);
}

/* A sender whose clock runs ahead, or a burst, leaves more waiting than must: one frame is left out now and then. */
static void keep_shallow(struct jitter *jitter)
{
    jitter->deep = (int32_t)(jitter->newest - jitter->at) > (int32_t)(DEEP * jitter->frame) ? jitter->deep + 1 : 0;
    if (jitter->deep <= PATIENCE)
        return;
    for (uint32_t i = 0; i < jitter->frame; i += GRAIN)
        jitter->is_there[(jitter->at + i) % JITTER_SAMPLES / GRAIN] = false;
    jitter->at += jitter->frame;
    jitter->deep = 0;
}

bool jitter_holds(const struct jitter *jitter)
{
    return jitter->has_begun && (int32_t)(jitter->newest - jitter->at) >= (int32_t)jitter->frame;
}

enum jitter_find jitter_take(struct jitter *jitter, int16_t frame[JITTER_MOST_FRAME])
{
    if (!jitter->has_begun) {
        memset(frame, 0, jitter->frame * sizeof *frame);
        return JITTER_NOTHING;
    }
    keep_shallow(jitter);
    bool is_any_there = false;
    for (size_t i = 0; i < jitter->frame; i += GRAIN) {
        uint32_t at = (jitter->at + (uint32_t)i) % JITTER_SAMPLES;
        if (jitter->is_there[at / GRAIN]) {
            memcpy(frame + i, jitter->sample + at, GRAIN * sizeof *frame);
            is_any_there = true;
        } else {
            conceal(jitter, frame + i, i, GRAIN);
        }
        jitter->is_there[at / GRAIN] = false;
    }
    jitter->at += jitter->frame;
    enum jitter_find find = is_any_there                       ? JITTER_AUDIO
                            : jitter->missing < MOST_CONCEALED ? JITTER_CONCEALED
                                                               : JITTER_NOTHING;
    jitter->missing = is_any_there ? 0 : jitter->missing + 1;
    if (jitter->missing > PATIENCE)
        jitter_begin(jitter, jitter->frame); /* whoever falls silent begins anew, with its delay */
    if (is_any_there)
        memcpy(jitter->last, frame, jitter->frame * sizeof *frame);
    return find;
}
