/* The relay: one thread that owns all legs, and the commands that reach it. */
#ifndef FRONTDESK_RELAY_H
#define FRONTDESK_RELAY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "leg.h"
#include "list.h"
#include "notices.h"
#include "pair.h"

enum {
    RELAY_TICK_MS = 20,
    RELAY_PACKET_SIZE = 2048,
    RELAY_WHEEL = 512, /* ticks: 10.24 s, longer than the longest wait for a report */
};

enum command_kind {
    COMMAND_PREPARE,
    COMMAND_OPEN,
    COMMAND_PLAN,
    COMMAND_CONNECT,
    COMMAND_DISCONNECT,
    COMMAND_PLAY,
    COMMAND_STOP_PLAYING,
    COMMAND_LISTEN,
    COMMAND_SEND_DIGITS,
    COMMAND_JOIN,
    COMMAND_LEAVE,
    COMMAND_RECORD,
    COMMAND_STOP_RECORDING,
    COMMAND_CLOSE,
    COMMAND_QUIT,
};

struct mix;
struct recorder;

struct command {
    struct command *next;
    enum command_kind kind;
    struct leg *leg;
    struct leg *other;
    struct clip *clip;
    struct plan *plan;
    struct pair *pair;
    struct mix *mix;
    struct recorder *recorder;
    uint64_t *heard; /* ids that a member of a mix may hear */
    int heard_count;
    unsigned serial;
    bool repeats;
    bool events; /* listen for the digits of events, and of tones */
    bool tones;
    uint16_t tone_ms;
    uint16_t gap_ms;
    char *digits; /* to be sent */
};

struct relay {
    pthread_t thread;
    pid_t process; /* a forked child has no such thread */
    int poll;
    int wake;
    int timer;
    bool is_real_time; /* SCHED_RR was granted */
    _Atomic(struct command *) commands; /* newest first */
    struct notices notices;
    uint64_t rest_ns;         /* how long a pair rests between two legs */
    unsigned most_idle_pairs; /* of the open files that the process may have */
    /* The rest is the thread's. */
    bool is_quitting;
    bool timer_runs;
    unsigned legs;
    unsigned wheel_at;
    uint64_t now_ns;
    uint64_t unix_offset_ns; /* fixed at the start, so that a set wall clock spoils no round trip */
    uint64_t chance;
    struct link wheel[RELAY_WHEEL];
    struct link players;
    struct link quiet;     /* legs whose peers send comfort noise */
    struct link senders;   /* legs that have digits to send */
    struct link ears;
    struct link mixes;
    struct link recorders;
    struct link idle;    /* pairs at rest, the longest first */
    struct link leaving; /* pairs to close when no event of this round names them any more */
    unsigned idle_pairs;
    uint8_t packet[RELAY_PACKET_SIZE];
};

/* Starts the thread, whose pairs rest for rest_ns between two legs; NULL with errno set when the system refuses. */
struct relay *relay_start(uint64_t rest_ns);

/* Ends the thread, closing all legs, and frees the relay. Waits for the round at hand. */
void relay_stop(struct relay *relay);

/* Hands a command to the thread; takes over its clip, plan, ids, digits and holds. False when memory is out: then nothing happened.
 * It is obeyed before the next packet, at the next tick, or when the thread is woken, whatever comes first: so most
 * commands cost no system call. */
bool relay_command(struct relay *relay, const struct command *command);

/* For what must not wait for the tick: the first leg, which starts the ticks, and whoever needs a port that is about to
 * be closed. */
void relay_wake(struct relay *relay);

/* Has the thread read a pair from now on; false with errno when the system refuses. */
bool relay_watch(struct relay *relay, struct pair *pair);

/* Thread: carries out all commands that have come. */
void relay_obey(struct relay *relay);

static inline bool relay_has_commands(struct relay *relay)
{
    return atomic_load_explicit(&relay->commands, memory_order_relaxed) != NULL;
}

/* Thread: a random number (xorshift64*), good enough to spread reports. */
uint64_t relay_chance(struct relay *relay);

#endif
