/* Time, priority and figures that the bench's programs share. */
#ifndef FRONTDESK_BENCH_PACE_H
#define FRONTDESK_BENCH_PACE_H

#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* The wall clock, because the kernel stamps received packets with it. */
static inline uint64_t wall_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline void fail(const char *what)
{
    perror(what);
    exit(1);
}

#endif
