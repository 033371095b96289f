#include "recorder.h"

#include <stdlib.h>

#include "ear.h"
#include "mix.h"

struct recorder *recorder_make(struct leg *one, struct leg *other, struct mix *mix, bool is_stereo)
{
    struct recorder *recorder = calloc(1, sizeof *recorder);
    if (!recorder)
        return NULL;
    atomic_init(&recorder->holders, 1);
    recorder->legs[0] = one;
    recorder->legs[1] = other;
    recorder->mix = mix ? mix_hold(mix) : NULL;
    recorder->is_stereo = is_stereo && other;
    list_begin(&recorder->link);
    return recorder;
}

struct recorder *recorder_hold(struct recorder *recorder)
{
    atomic_fetch_add_explicit(&recorder->holders, 1, memory_order_relaxed);
    return recorder;
}

void recorder_release(struct recorder *recorder)
{
    if (!recorder || atomic_fetch_sub_explicit(&recorder->holders, 1, memory_order_acq_rel) != 1)
        return;
    mix_release(recorder->mix);
    free(recorder);
}

void recorder_begin(struct relay *relay, struct recorder *recorder)
{
    for (int i = 0; i < 2; i++) {
        if (recorder->legs[i] && !ear_open(relay, recorder->legs[i]))
            recorder->legs[i] = NULL;
    }
    list_join(&relay->recorders, &recorder->link);
}

void recorder_end(struct recorder *recorder)
{
    if (atomic_load_explicit(&recorder->has_ended, memory_order_relaxed))
        return;
    for (int i = 0; i < 2; i++) {
        if (recorder->legs[i])
            ear_close(recorder->legs[i]);
        recorder->legs[i] = NULL;
    }
    list_leave(&recorder->link);
    atomic_store_explicit(&recorder->has_ended, true, memory_order_release);
    recorder_release(recorder);
}

void recorder_lose(struct relay *relay, const struct leg *leg)
{
    struct link *next;
    for (struct link *link = relay->recorders.next; link != &relay->recorders; link = next) {
        struct recorder *recorder = LIST_OWNER(link, struct recorder, link);
        next = link->next;
        for (int i = 0; i < 2; i++) {
            if (recorder->legs[i] == leg) {
                ear_close(recorder->legs[i]);
                recorder->legs[i] = NULL;
            }
        }
        if (!recorder->legs[0] && !recorder->legs[1] && !recorder->mix)
            recorder_end(recorder);
    }
}

static int16_t clamp(int32_t sample)
{
    return (int16_t)(sample > INT16_MAX ? INT16_MAX : sample < INT16_MIN ? INT16_MIN : sample);
}

static int32_t sample_of(const struct leg *leg, int i)
{
    return leg && leg->ear->is_audible ? leg->ear->frame[i] : 0;
}

/* A ring that nobody empties keeps what it has. */
static void record(struct recorder *recorder)
{
    unsigned written = atomic_load_explicit(&recorder->written, memory_order_relaxed);
    unsigned count = recorder->is_stereo ? 2 * JITTER_FRAME : JITTER_FRAME;
    if (written - atomic_load_explicit(&recorder->taken, memory_order_acquire) + count > RECORDER_SAMPLES)
        return;
    int32_t sum[JITTER_FRAME];
    if (recorder->mix)
        mix_sum(recorder->mix, sum);
    for (int i = 0; i < JITTER_FRAME; i++) {
        int32_t one = recorder->mix ? sum[i] : sample_of(recorder->legs[0], i);
        int32_t other = sample_of(recorder->legs[1], i);
        if (recorder->is_stereo) {
            recorder->ring[written++ % RECORDER_SAMPLES] = (int16_t)one;
            recorder->ring[written++ % RECORDER_SAMPLES] = (int16_t)other;
        } else {
            recorder->ring[written++ % RECORDER_SAMPLES] = clamp(one + other);
        }
    }
    atomic_store_explicit(&recorder->written, written, memory_order_release);
}

void recorder_tick(struct relay *relay)
{
    for (struct link *link = relay->recorders.next; link != &relay->recorders; link = link->next)
        record(LIST_OWNER(link, struct recorder, link));
}

size_t recorder_read(struct recorder *recorder, int16_t *samples, size_t most)
{
    unsigned taken = atomic_load_explicit(&recorder->taken, memory_order_relaxed);
    unsigned written = atomic_load_explicit(&recorder->written, memory_order_acquire);
    size_t count = written - taken < most ? written - taken : most;
    for (size_t i = 0; i < count; i++)
        samples[i] = recorder->ring[taken++ % RECORDER_SAMPLES];
    atomic_store_explicit(&recorder->taken, taken, memory_order_release);
    return count;
}
