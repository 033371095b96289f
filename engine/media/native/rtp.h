/* The RTP packet: reading and writing its header (RFC 3550 5.1). */
#ifndef FRONTDESK_RTP_H
#define FRONTDESK_RTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RTP_HEADER_SIZE = 12, RTP_PAYLOAD_TYPES = 128 };

struct rtp_header {
    bool marker;
    uint8_t payload_type;
    uint16_t sequence;
    uint32_t timestamp;
    uint32_t ssrc;
    uint32_t payload_at;   /* octets of header and extension before it */
    uint32_t payload_size; /* octets without header, extension and padding */
};

/* Whether a datagram on an RTP port is RTCP all the same (RFC 5761 4). */
static inline bool rtp_is_rtcp(const uint8_t *packet, size_t size)
{
    return size >= 2 && packet[0] >> 6 == 2 && packet[1] >= 192 && packet[1] <= 223;
}

/* Reads the header and checks that CSRCs, extension and padding lie inside the packet; false when they lie. */
bool rtp_read(struct rtp_header *header, const uint8_t *packet, size_t size);

/* Rewrites marker, payload type, sequence, timestamp and SSRC; the first octet stays as it is. */
void rtp_write(uint8_t *packet, const struct rtp_header *header);

#endif
