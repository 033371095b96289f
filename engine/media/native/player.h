/* Playing clips to legs, a frame at each tick. */
#ifndef FRONTDESK_PLAYER_H
#define FRONTDESK_PLAYER_H

#include "relay.h"

/* Begins a clip on a leg, taking over the caller's hold on it; what played before ends. */
void player_begin(struct relay *relay, struct leg *leg, struct clip *clip, bool repeats, unsigned serial);

/* Ends what plays, if anything does. */
void player_end(struct leg *leg);

/* Sends the frames of one tick. */
void player_tick(struct relay *relay);

#endif
