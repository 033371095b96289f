/* Checks that name what failed, and random numbers from a seed. */
#ifndef FRONTDESK_CHECK_H
#define FRONTDESK_CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(claim)                                                                                                   \
    do {                                                                                                               \
        if (!(claim)) {                                                                                                \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #claim);                                        \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

struct chance {
    uint64_t state;
};

static inline uint32_t chance_next(struct chance *chance)
{
    chance->state ^= chance->state << 13;
    chance->state ^= chance->state >> 7;
    chance->state ^= chance->state << 17;
    return (uint32_t)(chance->state >> 16);
}

/* Fills packet with random octets, or a sound RTP or RTCP packet with some of them changed; returns its size, at most
 * limit. */
size_t chance_packet(struct chance *chance, uint8_t *packet, size_t limit);

void test_packets(void);
void test_reception(void);
void test_stream(void);
void test_latch(void);
void test_plan(void);
void test_ports(void);
void test_random_packets(void);
void test_relay(void);
void test_report(void);
void test_voices(void);
void test_g722_encode(void);
void test_g722_decode(void);

#endif
