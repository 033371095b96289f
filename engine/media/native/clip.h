/* Audio to play, shared by the engine and the thread: counted, never changed. */
#ifndef FRONTDESK_CLIP_H
#define FRONTDESK_CLIP_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct clip {
    atomic_uint holders;
    size_t samples;
    int16_t sample[]; /* linear, 8000 Hz */
};

/* A copy of count samples with one holder; NULL when memory is out. */
struct clip *clip_make(const void *samples, size_t count);
struct clip *clip_hold(struct clip *clip);
void clip_release(struct clip *clip);

/* Copies count samples from position at: around the end when it repeats, else silence after it. Returns the position
 * that follows, which equals clip->samples when the end is reached. */
size_t clip_read(const struct clip *clip, size_t at, int16_t *out, size_t count, int repeats);

#endif
