#define _GNU_SOURCE
#include "notices.h"

#include <sys/eventfd.h>
#include <unistd.h>

bool notices_begin(struct notices *notices)
{
    atomic_init(&notices->written, 0);
    atomic_init(&notices->taken, 0);
    notices->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return notices->fd >= 0;
}

void notices_end(struct notices *notices)
{
    if (notices->fd >= 0)
        close(notices->fd);
    notices->fd = -1;
}

void notices_tell(struct notices *notices, const struct notice *notice)
{
    unsigned written = atomic_load_explicit(&notices->written, memory_order_relaxed);
    if (written - atomic_load_explicit(&notices->taken, memory_order_acquire) == NOTICES)
        return;
    notices->ring[written % NOTICES] = *notice;
    atomic_store_explicit(&notices->written, written + 1, memory_order_release);
    uint64_t one = 1;
    (void)!write(notices->fd, &one, sizeof one);
}

void notices_heed(struct notices *notices)
{
    uint64_t count;
    (void)!read(notices->fd, &count, sizeof count);
}

bool notices_take(struct notices *notices, struct notice *notice)
{
    unsigned taken = atomic_load_explicit(&notices->taken, memory_order_relaxed);
    if (taken == atomic_load_explicit(&notices->written, memory_order_acquire))
        return false;
    *notice = notices->ring[taken % NOTICES];
    atomic_store_explicit(&notices->taken, taken + 1, memory_order_release);
    return true;
}
