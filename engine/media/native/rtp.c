#include "rtp.h"

#include "bytes.h"

bool rtp_read(struct rtp_header *header, const uint8_t *packet, size_t size)
{
    if (size < RTP_HEADER_SIZE || packet[0] >> 6 != 2)
        return false;
    size_t body = RTP_HEADER_SIZE + 4 * (size_t)(packet[0] & 0x0f);
    if (packet[0] & 0x10) {
        if (size < body + 4)
            return false;
        body += 4 + 4 * (size_t)read_u16(packet + body + 2);
    }
    if (size < body)
        return false;
    size_t padding = 0;
    if (packet[0] & 0x20) {
        padding = packet[size - 1];
        if (padding == 0 || body + padding > size)
            return false;
    }
    header->marker = packet[1] >> 7;
    header->payload_type = packet[1] & 0x7f;
    header->sequence = read_u16(packet + 2);
    header->timestamp = read_u32(packet + 4);
    header->ssrc = read_u32(packet + 8);
    header->payload_at = (uint32_t)body;
    header->payload_size = (uint32_t)(size - body - padding);
    return true;
}

void rtp_write(uint8_t *packet, const struct rtp_header *header)
{
    packet[1] = (uint8_t)(header->marker << 7 | header->payload_type);
    write_u16(packet + 2, header->sequence);
    write_u32(packet + 4, header->timestamp);
    write_u32(packet + 8, header->ssrc);
}
