/* What the thread has to tell the engine: a ring that neither side waits for, and a descriptor that becomes readable. */
#ifndef FRONTDESK_NOTICES_H
#define FRONTDESK_NOTICES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum notice_kind { NOTICE_DIGIT, NOTICE_PLAYED };

struct notice {
    uint64_t leg; /* the id */
    enum notice_kind kind;
    uint32_t value; /* the digit's character, or the serial of what was played */
};

enum { NOTICES = 4096 };

struct notices {
    int fd;
    atomic_uint written; /* by the thread */
    atomic_uint taken;   /* by the engine */
    struct notice ring[NOTICES];
};

/* Opens the descriptor; false with errno when the system refuses. */
bool notices_begin(struct notices *notices);
void notices_end(struct notices *notices);

/* Thread: what finds no room any more is lost; the engine has stood still for long then. */
void notices_tell(struct notices *notices, const struct notice *notice);

/* Engine: makes the descriptor unreadable; what comes later makes it readable again. */
void notices_heed(struct notices *notices);

/* Engine: the oldest notice; false when there is none. */
bool notices_take(struct notices *notices, struct notice *notice);

#endif
