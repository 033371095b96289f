/* Digits as events of RFC 4733: heard from a peer, and sent to one in turn, as tones where it knows no events. */
#ifndef FRONTDESK_DIGITS_H
#define FRONTDESK_DIGITS_H

#include <stdbool.h>
#include <stdint.h>

#include "dtmf.h"
#include "list.h"
#include "rtp.h"

enum { DIGITS_QUEUE = 32 };

/* The event that a peer sends, or sent last. */
struct event_hearing {
    bool listens;
    bool has_heard;
    bool has_ended; /* a packet with the end bit has come */
    uint8_t event;
    uint16_t duration;
    uint32_t timestamp; /* of its beginning */
};

enum sender_phase { SENDER_IDLE, SENDER_EVENT, SENDER_END, SENDER_TONE, SENDER_GAP };

struct digit_sender {
    enum sender_phase phase;
    char queue[DIGITS_QUEUE];
    unsigned queued;
    unsigned ticks; /* left of the phase */
    unsigned tone_ticks;
    unsigned gap_ticks;
    uint8_t event;
    uint8_t payload_type;
    uint32_t clock_rate;
    uint32_t duration; /* so far, in units of the clock */
    struct rtp_header source;
    struct dtmf_maker maker;
    struct link link;
};

struct relay;
struct leg;

/* The event number of a digit, and the digit of an event (0-9*#A-D); -1 and 0 for what is none. */
int digits_event_of(char digit);
char digits_of_event(unsigned event);

/* Takes the payload of an event packet; tells the engine of each press once, whatever is repeated or lost. */
void digits_hear(struct relay *relay, struct leg *leg, const struct rtp_header *header, const uint8_t *payload);

/* Queues digits behind those that wait; what has no room is left out. */
void digits_send(struct relay *relay, struct leg *leg, const char *digits, unsigned tone_ms, unsigned gap_ms);

/* Forgets what has not been sent. */
void digits_stop(struct leg *leg);

void digits_tick(struct relay *relay);

#endif
