/* The ear of a leg: its peer's audio as samples, a frame at each tick, where somebody needs it. */
#ifndef FRONTDESK_EAR_H
#define FRONTDESK_EAR_H

#include "dtmf.h"
#include "jitter.h"
#include "relay.h"

struct ear {
    struct leg *leg;
    unsigned uses; /* mix, recordings, listening for tones */
    bool listens;  /* for the tones of digits */
    bool is_audible;
    bool is_wide;                     /* its peer's audio is kept at 16000 Hz */
    int16_t frame[JITTER_FRAME];      /* of the tick at hand, at 8000 Hz */
    int16_t wide[JITTER_MOST_FRAME];  /* the same at 16000 Hz, of an ear that is wide or has been widened */
    struct bank halving;
    struct bank doubling;
    struct scale clock;
    struct jitter jitter;
    struct dtmf_hearer dtmf;
    struct link link;
};

/* One more use of a leg's ear; NULL when memory is out. */
struct ear *ear_open(struct relay *relay, struct leg *leg);

/* One use less; the last one frees it. */
void ear_close(struct leg *leg);

/* Takes the samples of a packet that came now, wide or not; clock_rate is that of its timestamp. */
void ear_take(struct leg *leg, uint32_t timestamp, uint32_t clock_rate, bool is_wide, const int16_t *samples,
              size_t count);

/* Whether the peer's audio is to be kept at 16000 Hz; what waits is lost when that changes. */
void ear_set_wide(struct ear *ear, bool is_wide);

/* Makes the frame of this tick known at 16000 Hz, too, for an ear that is not wide. */
void ear_widen(struct ear *ear);

/* Another source speaks on the leg from now on. */
void ear_forget(struct leg *leg);

/* Begins or ends listening for tones. */
void ear_listen(struct relay *relay, struct leg *leg, bool listens);

/* Takes the frame of this tick from every ear. */
void ear_tick(struct relay *relay);

#endif
