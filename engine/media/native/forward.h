/* From a leg's sockets to the other leg's peer. */
#ifndef FRONTDESK_FORWARD_H
#define FRONTDESK_FORWARD_H

#include "relay.h"

/* Reads what waits on a port, at most one batch, and relays or consumes it. */
void forward_from(struct relay *relay, struct port *port);

#endif
