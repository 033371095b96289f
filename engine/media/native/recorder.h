/* A recording: what legs or a mix say, as samples in a ring that the engine empties. */
#ifndef FRONTDESK_RECORDER_H
#define FRONTDESK_RECORDER_H

#include <stdatomic.h>

#include "relay.h"

enum { RECORDER_SAMPLES = 1 << 16 /* 8 s of one channel */ };

struct mix;

struct recorder {
    atomic_uint holders;
    atomic_bool has_ended;
    atomic_uint written; /* samples, by the thread */
    atomic_uint taken;   /* by the engine */
    /* The rest is the thread's. */
    struct leg *legs[2];
    struct mix *mix;
    bool is_stereo;
    struct link link;
    int16_t ring[RECORDER_SAMPLES];
};

/* A recorder of one or two legs, or of a mix, not begun, with one holder; NULL when memory is out. */
struct recorder *recorder_make(struct leg *one, struct leg *other, struct mix *mix, bool is_stereo);
struct recorder *recorder_hold(struct recorder *recorder);
void recorder_release(struct recorder *recorder);

/* Thread: begins it, taking over the caller's hold; ends it. */
void recorder_begin(struct relay *relay, struct recorder *recorder);
void recorder_end(struct recorder *recorder);

/* Thread: a leg is closed; a recording that has nobody left ends. */
void recorder_lose(struct relay *relay, const struct leg *leg);

void recorder_tick(struct relay *relay);

/* Engine: takes up to most samples. */
size_t recorder_read(struct recorder *recorder, int16_t *samples, size_t most);

#endif
