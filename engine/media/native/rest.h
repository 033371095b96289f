/* Pairs at rest, the thread's side: bound, nobody's, and closed when nobody takes them. */
#ifndef FRONTDESK_REST_H
#define FRONTDESK_REST_H

#include "relay.h"

/* Binds a pair that the engine will want soon, unless the engine was faster. */
void rest_prepare(struct relay *relay, struct pair *pair);

/* A leg has left the pair: late packets of its peer are dropped while it rests. It is closed instead where enough
 * others rest already. */
void rest_begin(struct relay *relay, struct pair *pair);

/* A leg has taken the pair. */
void rest_end(struct relay *relay, struct pair *pair);

/* A packet came to a pair that is nobody's. Whoever still sends after half of the rest has missed the end of its call,
 * or is a scanner: the pair is closed, so that the kernel tells it. */
void rest_hear(struct relay *relay, struct pair *pair);

/* Lets go of the pairs that nobody took for twice as long as a rest. */
void rest_tick(struct relay *relay);

/* Closes the pairs that were let go; only at the end of a round, when no event names them any more. */
void rest_bury(struct relay *relay);

#endif
