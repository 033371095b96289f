#include "clip.h"

#include <stdlib.h>
#include <string.h>

struct clip *clip_make(const void *samples, size_t count)
{
    struct clip *clip = malloc(sizeof *clip + count * sizeof clip->sample[0]);
    if (!clip)
        return NULL;
    atomic_init(&clip->holders, 1);
    clip->samples = count;
    memcpy(clip->sample, samples, count * sizeof clip->sample[0]);
    return clip;
}

struct clip *clip_hold(struct clip *clip)
{
    atomic_fetch_add_explicit(&clip->holders, 1, memory_order_relaxed);
    return clip;
}

void clip_release(struct clip *clip)
{
    if (clip && atomic_fetch_sub_explicit(&clip->holders, 1, memory_order_acq_rel) == 1)
        free(clip);
}

size_t clip_read(const struct clip *clip, size_t at, int16_t *out, size_t count, int repeats)
{
    while (count > 0) {
        if (at == clip->samples && repeats)
            at = 0;
        if (at == clip->samples) {
            memset(out, 0, count * sizeof *out);
            return at;
        }
        size_t piece = clip->samples - at < count ? clip->samples - at : count;
        memcpy(out, clip->sample + at, piece * sizeof *out);
        at += piece;
        out += piece;
        count -= piece;
    }
    return at;
}
