/* RTCP compounds: reading the peer's, writing ours (RFC 3550 6). */
#ifndef FRONTDESK_RTCP_H
#define FRONTDESK_RTCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RTCP_CNAME_SIZE = 16, RTCP_MAX_COMPOUND = 128 };

/* One report block (6.4.1). */
struct rtcp_block {
    uint32_t ssrc;
    uint8_t fraction_lost;
    uint32_t cumulative_lost;
    uint32_t newest;
    uint32_t jitter;
    uint32_t last_report; /* middle 32 bits of the NTP time of the last SR; 0 before one */
    uint32_t delay;       /* since that SR, in 1/65536 s */
};

/* What a peer's compound says that concerns one stream of ours. */
struct rtcp_news {
    bool has_sender_report;
    uint32_t ntp_middle; /* of its sender report */
    bool has_block;
    struct rtcp_block block; /* the last one about our SSRC; cumulative_lost is 0 where the peer says less */
    bool says_bye;
};

/* Reads a compound; false unless every packet is version 2 and the lengths fill the datagram exactly. The first packet
 * need not be a report: some phones send a bare BYE (RFC 5506). What is neither report nor BYE is passed over: SDES, APP,
 * feedback (RFC 4585), extended reports (RFC 3611). */
bool rtcp_read(struct rtcp_news *news, const uint8_t *packet, size_t size, uint32_t our_ssrc);

/* What our compound says. */
struct rtcp_statement {
    uint32_t ssrc;
    bool is_sender; /* SR instead of RR */
    uint64_t ntp;
    uint32_t rtp_timestamp;
    uint32_t packets;
    uint32_t octets;
    bool has_block;
    struct rtcp_block block;
    char cname[RTCP_CNAME_SIZE + 1];
    bool says_bye;
};

/* Writes SR or RR, SDES CNAME and perhaps BYE; returns the octets used, at most RTCP_MAX_COMPOUND. */
size_t rtcp_write(uint8_t *packet, const struct rtcp_statement *statement);

/* The round trip in milliseconds that a block proves, received when our NTP middle was arrival (6.4.1);
 * below zero when it proves none. */
double rtcp_round_trip_ms(const struct rtcp_block *block, uint32_t arrival);

/* NTP's 64-bit time of a Unix time in nanoseconds. */
uint64_t rtcp_ntp(uint64_t unix_ns);

#endif
