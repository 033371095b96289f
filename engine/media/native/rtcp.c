#define _GNU_SOURCE
#include "rtcp.h"

#include <string.h>

#include "bytes.h"

enum { SENDER_REPORT = 200, RECEIVER_REPORT = 201, DESCRIPTION = 202, BYE = 203 };
enum { HEADER = 4, SENDER_INFO = 20, BLOCK = 24, SDES_CNAME = 1 };

static struct rtcp_block read_block(const uint8_t *at)
{
    uint32_t lost = read_u32(at + 4) & 0xffffff;
    struct rtcp_block block = {
        .ssrc = read_u32(at),
        .fraction_lost = at[4],
        .cumulative_lost = lost & 0x800000 ? 0 : lost,
        .newest = read_u32(at + 8),
        .jitter = read_u32(at + 12),
        .last_report = read_u32(at + 16),
        .delay = read_u32(at + 20),
    };
    return block;
}

static bool read_report(struct rtcp_news *news, const uint8_t *packet, size_t size, uint32_t our_ssrc)
{
    size_t at = HEADER + 4;
    if (packet[1] == SENDER_REPORT)
        at += SENDER_INFO;
    size_t blocks = packet[0] & 0x1f;
    if (size < at + blocks * BLOCK)
        return false;
    if (packet[1] == SENDER_REPORT) {
        news->has_sender_report = true;
        news->ntp_middle = read_u32(packet + HEADER + 6);
    }
    for (size_t i = 0; i < blocks; i++, at += BLOCK) {
        if (read_u32(packet + at) != our_ssrc)
            continue;
        news->block = read_block(packet + at);
        news->has_block = true;
    }
    return true;
}

bool rtcp_read(struct rtcp_news *news, const uint8_t *packet, size_t size, uint32_t our_ssrc)
{
    *news = (struct rtcp_news){0};
    if (size < HEADER)
        return false;
    while (size > 0) {
        if (size < HEADER || packet[0] >> 6 != 2)
            return false;
        size_t length = HEADER + 4 * (size_t)read_u16(packet + 2);
        if (length > size || packet[1] < 192 || packet[1] > 223)
            return false;
        bool is_report = packet[1] == SENDER_REPORT || packet[1] == RECEIVER_REPORT;
        if (is_report && !read_report(news, packet, length, our_ssrc))
            return false;
        if (packet[1] == BYE) {
            if (length < HEADER + 4 * (size_t)(packet[0] & 0x1f))
                return false;
            news->says_bye = true;
        }
        packet += length;
        size -= length;
    }
    return true;
}

static uint8_t *write_header(uint8_t *at, unsigned count, uint8_t type, size_t length)
{
    at[0] = (uint8_t)(0x80 | count);
    at[1] = type;
    write_u16(at + 2, (uint16_t)(length / 4 - 1));
    return at + HEADER;
}

static uint8_t *write_sender_info(uint8_t *at, const struct rtcp_statement *statement)
{
    write_u32(at, (uint32_t)(statement->ntp >> 32));
    write_u32(at + 4, (uint32_t)statement->ntp);
    write_u32(at + 8, statement->rtp_timestamp);
    write_u32(at + 12, statement->packets);
    write_u32(at + 16, statement->octets);
    return at + SENDER_INFO;
}

static uint8_t *write_block(uint8_t *at, const struct rtcp_block *block)
{
    write_u32(at, block->ssrc);
    write_u32(at + 4, (uint32_t)block->fraction_lost << 24 | (block->cumulative_lost & 0xffffff));
    write_u32(at + 8, block->newest);
    write_u32(at + 12, block->jitter);
    write_u32(at + 16, block->last_report);
    write_u32(at + 20, block->delay);
    return at + BLOCK;
}

static uint8_t *write_report(uint8_t *at, const struct rtcp_statement *statement)
{
    size_t length = HEADER + 4;
    length += statement->is_sender ? SENDER_INFO : 0u;
    length += statement->has_block ? BLOCK : 0u;
    at = write_header(at, statement->has_block, statement->is_sender ? SENDER_REPORT : RECEIVER_REPORT, length);
    write_u32(at, statement->ssrc);
    at += 4;
    if (statement->is_sender)
        at = write_sender_info(at, statement);
    return statement->has_block ? write_block(at, &statement->block) : at;
}

static uint8_t *write_description(uint8_t *at, const struct rtcp_statement *statement)
{
    size_t name = strnlen(statement->cname, RTCP_CNAME_SIZE);
    size_t chunk = (4 + 2 + name + 4) / 4 * 4; /* at least one zero octet ends the items (6.5) */
    at = write_header(at, 1, DESCRIPTION, HEADER + chunk);
    memset(at, 0, chunk);
    write_u32(at, statement->ssrc);
    at[4] = SDES_CNAME;
    at[5] = (uint8_t)name;
    memcpy(at + 6, statement->cname, name);
    return at + chunk;
}

size_t rtcp_write(uint8_t *packet, const struct rtcp_statement *statement)
{
    uint8_t *at = write_report(packet, statement);
    at = write_description(at, statement);
    if (statement->says_bye) {
        at = write_header(at, 1, BYE, HEADER + 4);
        write_u32(at, statement->ssrc);
        at += 4;
    }
    return (size_t)(at - packet);
}

double rtcp_round_trip_ms(const struct rtcp_block *block, uint32_t arrival)
{
    if (!block->last_report)
        return -1.0;
    int32_t trip = (int32_t)(arrival - block->last_report - block->delay);
    /* A trip of more than a minute is a peer that makes up its figures. */
    return trip >= 0 && trip < 60 * 65536 ? trip * 1000.0 / 65536.0 : -1.0;
}

uint64_t rtcp_ntp(uint64_t unix_ns)
{
    uint64_t seconds = unix_ns / 1000000000 + 2208988800u;
    uint64_t rest = unix_ns % 1000000000;
    return seconds << 32 | ((rest << 32) / 1000000000);
}
