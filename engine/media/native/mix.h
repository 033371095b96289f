/* A mix: legs that hear each other, each without itself, and only whom it may hear. While two members or more can do with
 * 16000 samples a second it is made of these. */
#ifndef FRONTDESK_MIX_H
#define FRONTDESK_MIX_H

#include <stdatomic.h>

#include "jitter.h"
#include "relay.h"

struct mix {
    atomic_uint holders; /* the engine, the thread while there are members, recordings */
    unsigned size;
    unsigned wide; /* members that can hear and say more than 8000 samples a second hold */
    uint32_t seed;
    struct link members;
    struct link link; /* in the relay's mixes while there are members */
};

enum { MIX_EVERYBODY = -1 };

/* A mix with one holder; NULL when memory is out. */
struct mix *mix_make(void);
struct mix *mix_hold(struct mix *mix);
void mix_release(struct mix *mix);

/* Thread: puts a leg into a mix, out of any other, or changes whom it hears: the legs of these ids alone, or, with
 * MIX_EVERYBODY, everybody else. */
void mix_join(struct relay *relay, struct mix *mix, struct leg *leg, const uint64_t *heard, int count);

/* Thread: takes a leg out of its mix, if it is in one. */
void mix_leave(struct leg *leg);

/* Thread: two legs of one mix are about to be connected. What each has said and the other has not heard yet goes out at
 * once, so that nothing of it is lost. */
void mix_drain(struct relay *relay, struct leg *one, struct leg *other);

/* Thread: a frame of a clip that a member hears over the others in this tick. */
void mix_overlay(struct leg *leg, const int16_t frame[JITTER_FRAME]);

/* Thread: the plan of a leg has changed, which may be in a mix. */
void mix_review(struct leg *leg);

/* Thread: sends every member what it hears. */
void mix_tick(struct relay *relay);

/* Thread: what all members say together in this tick. */
void mix_sum(const struct mix *mix, int32_t *sum);

#endif
