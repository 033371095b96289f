#include "stream.h"

enum { LATEST_REORDER = 1000, SHORTEST_PACKET_MS = 20 };

void stream_begin(struct stream *stream, uint32_t ssrc, uint16_t sequence, uint32_t timestamp)
{
    *stream = (struct stream){.ssrc = ssrc, .sequence = sequence, .timestamp = timestamp};
}

void stream_change_source(struct stream *stream)
{
    stream->has_source = false;
}

static uint32_t elapsed_units(const struct stream *stream, uint32_t clock_rate, uint64_t now_ns)
{
    uint64_t elapsed_us = now_ns > stream->sent_at_ns ? (now_ns - stream->sent_at_ns) / 1000 : 0;
    return (uint32_t)(elapsed_us * clock_rate / 1000000);
}

static void map_source(struct stream *stream, const struct rtp_header *header, uint32_t clock_rate, uint64_t now_ns)
{
    uint32_t timestamp = stream->timestamp;
    uint16_t sequence = stream->sequence;
    if (stream->has_started) {
        uint32_t units = elapsed_units(stream, clock_rate, now_ns);
        uint32_t least = clock_rate / 1000 * SHORTEST_PACKET_MS;
        timestamp += units > least ? units : least;
        sequence++;
    }
    stream->timestamp_offset = timestamp - header->timestamp;
    stream->sequence_offset = (uint16_t)(sequence - header->sequence);
    stream->source_newest = stream->source_floor = header->sequence;
    stream->has_source = true;
}

bool stream_place(struct stream *stream, struct rtp_header *header, uint32_t clock_rate, uint64_t now_ns)
{
    if (!stream->has_source) {
        map_source(stream, header, clock_rate, now_ns);
        header->marker = true;
    } else if ((int16_t)(header->sequence - stream->source_floor) < 0) {
        return false;
    }
    bool is_newest = (int16_t)(header->sequence - stream->source_newest) >= 0;
    if (is_newest) {
        stream->source_newest = header->sequence;
        if ((uint16_t)(stream->source_newest - stream->source_floor) > LATEST_REORDER)
            stream->source_floor = (uint16_t)(stream->source_newest - LATEST_REORDER);
    }
    header->sequence = (uint16_t)(header->sequence + stream->sequence_offset);
    header->timestamp += stream->timestamp_offset;
    header->ssrc = stream->ssrc;
    if (is_newest) {
        stream->sequence = header->sequence;
        stream->timestamp = header->timestamp;
        stream->clock_rate = clock_rate;
        stream->sent_at_ns = now_ns;
        stream->has_started = true;
    }
    return true;
}

void stream_leave_out(struct stream *stream, uint16_t source_sequence)
{
    if (!stream->has_source || source_sequence != (uint16_t)(stream->source_newest + 1))
        return;
    stream->source_newest = source_sequence;
    stream->source_floor = (uint16_t)(source_sequence + 1);
    stream->sequence_offset--;
}

uint32_t stream_timestamp_at(const struct stream *stream, uint64_t now_ns)
{
    return stream->timestamp + elapsed_units(stream, stream->clock_rate, now_ns);
}
