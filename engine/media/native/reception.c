#include "reception.h"

enum { MAX_DROPOUT = 3000, WINDOW = 64 };

static uint32_t expected_of_source(const struct reception *reception)
{
    return reception->has_source ? reception->newest - reception->first + 1 : 0;
}

static uint32_t lost_of_source(const struct reception *reception)
{
    uint32_t expected = expected_of_source(reception);
    return expected > reception->received ? expected - reception->received : 0;
}

static void begin_source(struct reception *reception, const struct rtp_header *header)
{
    reception->earlier_expected += expected_of_source(reception);
    reception->earlier_lost += lost_of_source(reception);
    reception->ssrc = header->ssrc;
    /* One cycle up, so that a packet reordered before the very first one does not fall below zero. */
    reception->first = reception->newest = 0x10000u + header->sequence;
    reception->received = 1;
    reception->seen = 1;
    reception->reported_expected = reception->reported_received = 0;
    reception->jitter_x16 = 0;
    reception->has_source = true;
    reception->has_candidate = reception->has_transit = false;
}

/* A.1's probation: a strange packet counts only when its successor comes next. */
static enum reception_verdict weigh_candidate(struct reception *reception, const struct rtp_header *header)
{
    if (reception->has_candidate && reception->candidate_ssrc == header->ssrc &&
        reception->candidate_next == header->sequence) {
        begin_source(reception, header);
        return RECEPTION_NEW_SOURCE;
    }
    reception->has_candidate = true;
    reception->candidate_ssrc = header->ssrc;
    reception->candidate_next = (uint16_t)(header->sequence + 1);
    return RECEPTION_SUSPECT;
}

static enum reception_verdict place_in_sequence(struct reception *reception, const struct rtp_header *header)
{
    if (!reception->has_source) {
        begin_source(reception, header);
        return RECEPTION_NEW_SOURCE;
    }
    if (header->ssrc != reception->ssrc)
        return weigh_candidate(reception, header);
    uint16_t ahead = (uint16_t)(header->sequence - (uint16_t)reception->newest);
    uint16_t behind = (uint16_t)-ahead;
    if (ahead != 0 && ahead < MAX_DROPOUT) {
        reception->newest += ahead;
        reception->seen = ahead < WINDOW ? reception->seen << ahead | 1 : 1;
        reception->received++;
        reception->has_candidate = false;
        return RECEPTION_IN_ORDER;
    }
    if (behind >= WINDOW)
        return weigh_candidate(reception, header);
    uint64_t bit = UINT64_C(1) << behind;
    if (reception->seen & bit)
        return RECEPTION_DUPLICATE;
    reception->seen |= bit;
    reception->received++;
    if (reception->newest - behind < reception->first)
        reception->first = reception->newest - behind;
    return RECEPTION_LATE;
}

static void measure_jitter(struct reception *reception, uint32_t timestamp, uint32_t clock_rate, uint64_t now_ns)
{
    uint32_t arrival = (uint32_t)(now_ns / 1000 * clock_rate / 1000000);
    uint32_t transit = arrival - timestamp;
    if (reception->has_transit && reception->clock_rate == clock_rate) {
        int32_t change = (int32_t)(transit - reception->transit);
        uint32_t size = change < 0 ? 0u - (uint32_t)change : (uint32_t)change;
        /* A restarted timestamp is no jitter. */
        if (size < 10 * clock_rate)
            reception->jitter_x16 += size - ((reception->jitter_x16 + 8) >> 4);
    }
    reception->transit = transit;
    reception->clock_rate = clock_rate;
    reception->has_transit = true;
}

enum reception_verdict reception_take(struct reception *reception, const struct rtp_header *header,
                                      uint32_t clock_rate, uint64_t now_ns)
{
    enum reception_verdict verdict = place_in_sequence(reception, header);
    if (verdict == RECEPTION_DUPLICATE || verdict == RECEPTION_SUSPECT)
        return verdict;
    reception->packets++;
    reception->octets += header->payload_size;
    reception->newest_at_ns = now_ns;
    if (clock_rate)
        measure_jitter(reception, header->timestamp, clock_rate, now_ns);
    return verdict;
}

uint64_t reception_expected(const struct reception *reception)
{
    return reception->earlier_expected + expected_of_source(reception);
}

uint64_t reception_lost(const struct reception *reception)
{
    return reception->earlier_lost + lost_of_source(reception);
}

double reception_jitter_ms(const struct reception *reception)
{
    return reception->clock_rate ? reception->jitter_x16 / 16.0 * 1000.0 / reception->clock_rate : 0.0;
}

struct reception_report reception_report(struct reception *reception)
{
    uint32_t expected = expected_of_source(reception);
    uint32_t expected_now = expected - reception->reported_expected;
    uint32_t received_now = reception->received - reception->reported_received;
    reception->reported_expected = expected;
    reception->reported_received = reception->received;
    uint32_t lost_now = expected_now > received_now ? expected_now - received_now : 0;
    uint32_t lost = lost_of_source(reception);
    struct reception_report report = {
        .fraction_lost = (uint8_t)(expected_now ? (uint64_t)lost_now * 255 / expected_now : 0),
        .cumulative_lost = lost > 0x7fffff ? 0x7fffff : lost,
    };
    return report;
}
