/* RTP fuzzed: one input is a stream of packets, each after its length, through everything that a packet meets. */
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "reception.h"
#include "rtp.h"
#include "stream.h"

#define DEMAND(claim) ((claim) ? (void)0 : abort())

enum { CLOCK_RATE = 8000, PACKET_NS = 20000000, LONGEST = 512 };

struct way {
    struct reception reception;
    struct stream stream;
    uint64_t now_ns;
    uint64_t sent;
};

static void send_on(struct way *way, uint8_t *packet, size_t size, struct rtp_header *header)
{
    struct rtp_header again;
    if (header->payload_type == 127) {
        stream_leave_out(&way->stream, header->sequence);
        return;
    }
    if (!stream_place(&way->stream, header, CLOCK_RATE, way->now_ns))
        return;
    DEMAND(header->ssrc == way->stream.ssrc && (way->sent++ > 0 || header->marker));
    rtp_write(packet, header);
    DEMAND(rtp_read(&again, packet, size));
    DEMAND(again.sequence == header->sequence && again.timestamp == header->timestamp && again.ssrc == header->ssrc);
    DEMAND(again.marker == header->marker && again.payload_type == header->payload_type);
    DEMAND(again.payload_size == header->payload_size);
}

static void take(struct way *way, uint8_t *packet, size_t size)
{
    struct rtp_header header;
    way->now_ns += PACKET_NS;
    if (rtp_is_rtcp(packet, size) || !rtp_read(&header, packet, size))
        return;
    DEMAND(header.payload_type < RTP_PAYLOAD_TYPES && header.payload_size <= size - RTP_HEADER_SIZE);
    enum reception_verdict verdict = reception_take(&way->reception, &header, CLOCK_RATE, way->now_ns);
    if (verdict == RECEPTION_DUPLICATE || verdict == RECEPTION_SUSPECT)
        return;
    if (verdict == RECEPTION_NEW_SOURCE)
        stream_change_source(&way->stream);
    send_on(way, packet, size, &header);
}

static void judge(struct way *way)
{
    struct reception *reception = &way->reception;
    DEMAND(reception_lost(reception) <= reception_expected(reception));
    DEMAND(reception->packets <= reception_expected(reception));
    DEMAND(reception->packets == 0 || reception_jitter_ms(reception) >= 0);
    struct reception_report report = reception_report(reception);
    DEMAND(report.cumulative_lost <= 0x7fffff);
    DEMAND(reception_report(reception).fraction_lost == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    struct way way = {.now_ns = PACKET_NS};
    stream_begin(&way.stream, 0x12345678, 65530, 0xfffffff0u);
    static uint8_t space[LONGEST];
    while (size >= 2) {
        size_t length = read_u16(input);
        input += 2;
        size -= 2;
        length = length < size ? length : size;
        length = length < LONGEST ? length : LONGEST;
        /* At the end of its space: the sanitizer sees a read beyond it. */
        uint8_t *packet = space + LONGEST - length;
        memcpy(packet, input, length);
        take(&way, packet, length);
        input += length;
        size -= length;
    }
    judge(&way);
    return 0;
}
