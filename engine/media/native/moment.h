/* The monotonic clock in nanoseconds. */
#ifndef FRONTDESK_MOMENT_H
#define FRONTDESK_MOMENT_H

#include <stdint.h>
#include <time.h>

static inline uint64_t moment_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#endif
