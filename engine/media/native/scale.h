/* Timestamps of one clock in units of another (RTP clocks of 8000 and of 48000 Hz). */
#ifndef FRONTDESK_SCALE_H
#define FRONTDESK_SCALE_H

#include <stdint.h>

/* It goes on from the last timestamp, so that the wrap of neither clock does harm. */
struct scale {
    uint32_t from_rate; /* 0 before the first */
    uint32_t to_rate;
    uint32_t from;
    uint32_t to;
};

static inline uint32_t scale_timestamp(struct scale *scale, uint32_t timestamp, uint32_t from_rate, uint32_t to_rate)
{
    if (from_rate == to_rate)
        return timestamp;
    if (scale->from_rate != from_rate || scale->to_rate != to_rate)
        *scale = (struct scale){from_rate, to_rate, timestamp, timestamp};
    int64_t units = (int64_t)(int32_t)(timestamp - scale->from) * to_rate / from_rate;
    scale->from += (uint32_t)(units * from_rate / to_rate);
    scale->to += (uint32_t)units;
    return scale->to;
}

#endif
