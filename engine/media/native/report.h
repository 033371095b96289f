/* RTCP of a leg: what its peer reports, and our own reports to it. */
#ifndef FRONTDESK_REPORT_H
#define FRONTDESK_REPORT_H

#include "relay.h"

/* Takes a datagram of the RTCP port into the account. */
void report_take(struct relay *relay, struct leg *leg, const uint8_t *packet, size_t size,
                 const union address *source);

/* The same for RTCP that came to the RTP port (RFC 5761): it never moves a latch. */
void report_take_beside_rtp(struct relay *relay, struct leg *leg, const uint8_t *packet, size_t size,
                            const union address *source);

/* Sends our compound, if the peer's RTCP address is known. */
void report_send(struct relay *relay, struct leg *leg, bool says_bye);

/* Schedules the leg's next report: 5 s on average, spread by half to either side; the first one after half of that
 * (RFC 3550 6.2, 6.3.1). */
void report_schedule(struct relay *relay, struct leg *leg, bool is_first);

/* Sends all reports that are due at this tick. */
void report_tick(struct relay *relay);

#endif
