/* Playing clips to legs, a frame at each tick. */
#ifndef FRONTDESK_PLAYER_H
#define FRONTDESK_PLAYER_H

#include "relay.h"

/* Begins a clip on a leg, taking over the caller's hold on it; what played before ends. */
void player_begin(struct relay *relay, struct leg *leg, struct clip *clip, bool repeats, unsigned serial);

/* Ends what plays, if anything does, at once. */
void player_end(struct leg *leg);

/* Ends what plays without a click: its next frame fades out, and whatever is relayed before that takes its place. */
void player_stop(struct leg *leg);

/* Sends the frames of one tick. */
void player_tick(struct relay *relay);

#endif
