/* What goes to a peer: one SSRC whose sequence and timestamp stay continuous whatever feeds it. */
#ifndef FRONTDESK_STREAM_H
#define FRONTDESK_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "rtp.h"

struct stream {
    uint64_t sent_at_ns; /* when the newest packet left */
    uint32_t ssrc;
    uint32_t timestamp; /* of the newest packet, or the random start */
    uint32_t clock_rate;
    uint32_t timestamp_offset;
    uint16_t sequence;
    uint16_t sequence_offset;
    uint16_t source_newest;
    uint16_t source_floor; /* older packets of the source belong to numbers already given away */
    bool has_started;
    bool has_source;
};

/* Begins with the random ssrc, sequence and timestamp that RFC 3550 5.1 asks for. */
void stream_begin(struct stream *stream, uint32_t ssrc, uint16_t sequence, uint32_t timestamp);

/* The next packet comes from another source: it continues the numbers and carries the marker. */
void stream_change_source(struct stream *stream);

/* Turns a source packet's sequence, timestamp, marker and SSRC into the stream's own; gaps in the source stay
 * visible. False when the packet is too late to have a number. clock_rate is the payload's, in Hz. */
bool stream_place(struct stream *stream, struct rtp_header *header, uint32_t clock_rate, uint64_t now_ns);

/* A source packet that is left out on purpose closes its gap, so that nobody takes it for a loss. */
void stream_leave_out(struct stream *stream, uint16_t source_sequence);

/* The timestamp that belongs to now_ns, for sender reports (RFC 3550 6.4.1). */
uint32_t stream_timestamp_at(const struct stream *stream, uint64_t now_ns);

#endif
