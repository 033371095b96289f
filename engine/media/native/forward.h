/* From a leg's sockets to the other leg's peer. */
#ifndef FRONTDESK_FORWARD_H
#define FRONTDESK_FORWARD_H

#include "relay.h"

/* Reads one datagram from a port and relays or consumes it.
 *
 * One, because a call's socket rarely holds two: recvfrom and sendto cost 10 to 15 % less of a core than recvmmsg and
 * sendmmsg with a single message each (make bench), and a flooded port gets no more turns than any other. */
void forward_from(struct relay *relay, struct port *port);

#endif
