/* The engine's pool of port pairs: which numbers are free on each of our hosts, and the pairs that stand ready. */
#ifndef FRONTDESK_PORTS_H
#define FRONTDESK_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "pair.h"
#include "relay.h"

struct pair_queue {
    struct pair *first;
    struct pair *last;
    unsigned count;
};

/* The range on one host. */
struct shelf {
    struct shelf *next;
    union address host;
    struct pair_queue fresh;  /* asked of the thread ahead of need */
    struct pair_queue rested; /* given back, the longest ago first */
    unsigned ahead;           /* how many to ask for: more with each call that found none, fewer with each unused */
    uint32_t next_number;
    uint32_t taken_numbers;
    bool taken[]; /* by a pair in any state */
};

struct ports {
    uint16_t first; /* even */
    uint32_t pairs;
    struct shelf *shelves;
};

/* A pool of the pairs that lie wholly in first..last; false when no pair does. */
bool ports_begin(struct ports *ports, uint16_t first, uint16_t last);

/* Closes and frees every pair that is no leg's; the relay must have ended. */
void ports_end(struct ports *ports);

enum ports_outcome { PORTS_BOUND, PORTS_EXHAUSTED, PORTS_FAILED };

/* Takes a bound pair on host (its port is ignored), skipping what others hold. One that was given back rests for the
 * relay's rest_ns first, unless no other is left in the range. PORTS_FAILED sets errno. */
enum ports_outcome ports_take(struct ports *ports, struct relay *relay, const union address *host, struct pair **pair);

/* Takes back the pair of a leg whose COMMAND_CLOSE has been given. */
void ports_give_back(struct pair *pair);

/* Takes back a pair that was taken and never opened. */
void ports_forsake(struct pair *pair);

#endif
