/* A port pair: an even RTP port and the odd RTCP port above it (RFC 3550 11), bound once and lent to one leg after
 * another. */
#ifndef FRONTDESK_PAIR_H
#define FRONTDESK_PAIR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "list.h"

struct leg;
struct pair;
struct shelf;

struct port {
    struct pair *pair;
    struct leg *leg; /* thread: whose packets these are; NULL while nobody's */
    int fd;          /* -1 while not bound */
    bool is_rtcp;
};

/* Engine and thread pass a pair to and fro by this word alone; whoever changes it owns what the new state names. */
enum pair_state {
    PAIR_WANTED,  /* nobody's yet: the first of engine and thread to say BINDING binds it */
    PAIR_BINDING,
    PAIR_REFUSED, /* could not be bound */
    PAIR_IDLE,    /* bound, nobody's: the engine may take it, the thread may let it go */
    PAIR_TAKEN,   /* a leg's */
    PAIR_LEAVING, /* the thread is about to close it */
    PAIR_CLOSED,  /* the thread knows it no more */
};

struct pair {
    struct port rtp;
    struct port rtcp;
    union address host;
    uint16_t number; /* of the RTP port */
    _Atomic(enum pair_state) state;
    atomic_bool is_awaited;  /* a COMMAND_PREPARE that names it is under way */
    uint64_t free_at_ns;     /* whose late packets may still come until then; 0 for one never used */
    uint64_t idle_since_ns;  /* thread */
    struct link rest_link;   /* thread */
    struct shelf *shelf;     /* engine */
    struct pair *next;       /* engine */
};

/* An unbound pair in state WANTED; NULL when memory is out. */
struct pair *pair_make(const union address *host, uint16_t number);

enum pair_outcome { PAIR_BOUND, PAIR_IN_USE, PAIR_FAILED };

/* Binds both ports; IN_USE when somebody else holds one, FAILED with errno. */
enum pair_outcome pair_bind(struct pair *pair);

void pair_close(struct pair *pair);

/* Moves from one state to another; false when it was not in the first. */
static inline bool pair_move(struct pair *pair, enum pair_state from, enum pair_state to)
{
    return atomic_compare_exchange_strong_explicit(&pair->state, &from, to, memory_order_acq_rel,
                                                   memory_order_acquire);
}

static inline enum pair_state pair_state(const struct pair *pair)
{
    return atomic_load_explicit(&pair->state, memory_order_acquire);
}

static inline void pair_become(struct pair *pair, enum pair_state state)
{
    atomic_store_explicit(&pair->state, state, memory_order_release);
}

#endif
