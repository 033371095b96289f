/* The pool of port pairs: an even RTP port and the odd RTCP port above it (RFC 3550 11). */
#ifndef FRONTDESK_PORTS_H
#define FRONTDESK_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"

struct ports {
    uint16_t first; /* even */
    uint32_t pairs;
    uint32_t next;
    uint32_t taken_pairs;
    bool *taken; /* by us, whatever the host */
};

/* A pool of the pairs that lie wholly in first..last; false when memory is out or no pair does. */
bool ports_begin(struct ports *ports, uint16_t first, uint16_t last);
void ports_end(struct ports *ports);

enum ports_outcome { PORTS_BOUND, PORTS_EXHAUSTED, PORTS_FAILED };

/* Binds the next free pair on host (its port is ignored) and fills the descriptors and the RTP port; skips pairs that
 * others hold. Walks round the whole range, so that a closed port rests as long as possible. PORTS_FAILED sets errno. */
enum ports_outcome ports_take(struct ports *ports, const union address *host, int *rtp_fd, int *rtcp_fd,
                              uint16_t *port);

void ports_give_back(struct ports *ports, uint16_t port);

#endif
