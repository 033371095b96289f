#include <string.h>

#include "bytes.h"
#include "check.h"
#include "rtcp.h"
#include "rtp.h"

enum { RANDOM_PACKETS = 1000000 };

static size_t sound_rtp(struct chance *chance, uint8_t *packet, size_t limit)
{
    size_t size = 12 + chance_next(chance) % 300;
    struct rtp_header header = {
        .payload_type = chance_next(chance) % 4 ? 8 : 101,
        .sequence = (uint16_t)(chance_next(chance) % 64),
        .timestamp = chance_next(chance) % 8000,
        .ssrc = chance_next(chance) % 2,
    };
    size = size > limit ? limit : size;
    memset(packet, 0, size);
    packet[0] = 0x80;
    rtp_write(packet, &header);
    return size;
}

static size_t sound_rtcp(struct chance *chance, uint8_t *packet)
{
    struct rtcp_statement statement = {
        .ssrc = chance_next(chance),
        .is_sender = chance_next(chance) & 1,
        .has_block = chance_next(chance) & 1,
        .says_bye = chance_next(chance) & 1,
        .cname = "desk",
    };
    return rtcp_write(packet, &statement);
}

size_t chance_packet(struct chance *chance, uint8_t *packet, size_t limit)
{
    uint32_t kind = chance_next(chance) % 4;
    size_t size = chance_next(chance) % (limit + 1);
    if (kind == 0) {
        for (size_t i = 0; i < size; i++)
            packet[i] = (uint8_t)chance_next(chance);
        return size;
    }
    size = kind == 1 && limit >= RTCP_MAX_COMPOUND ? sound_rtcp(chance, packet) : sound_rtp(chance, packet, limit);
    for (uint32_t changes = chance_next(chance) % 4; changes > 0 && size > 0; changes--)
        packet[chance_next(chance) % (chance_next(chance) & 1 ? size : (size < 16 ? size : 16))] =
            (uint8_t)chance_next(chance);
    return chance_next(chance) % 8 ? size : chance_next(chance) % (size + 1);
}

static void headers_come_back_as_written(void)
{
    uint8_t packet[172] = {0x80};
    struct rtp_header header, written = {
        .marker = true, .payload_type = 101, .sequence = 65535, .timestamp = 0xfffffff0u, .ssrc = 0xdeadbeefu};
    rtp_write(packet, &written);
    CHECK(rtp_read(&header, packet, sizeof packet));
    CHECK(header.marker && header.payload_type == 101 && header.sequence == 65535);
    CHECK(header.timestamp == 0xfffffff0u && header.ssrc == 0xdeadbeefu && header.payload_size == 160);
}

static void lies_about_lengths_are_refused(void)
{
    struct rtp_header header;
    uint8_t packet[32] = {0x80};
    for (size_t size = 0; size < 12; size++)
        CHECK(!rtp_read(&header, packet, size));
    CHECK(rtp_read(&header, packet, 12));
    packet[0] = 0x40;
    CHECK(!rtp_read(&header, packet, 32));
    packet[0] = 0x8f; /* 15 CSRCs need 72 octets */
    CHECK(!rtp_read(&header, packet, 32));
    packet[0] = 0x90;
    write_u16(packet + 14, 5); /* the extension would end beyond 32 */
    CHECK(!rtp_read(&header, packet, 32));
    write_u16(packet + 14, 4);
    CHECK(rtp_read(&header, packet, 32) && header.payload_size == 0);
    CHECK(!rtp_read(&header, packet, 15));
    packet[0] = 0xa0;
    packet[31] = 0;
    CHECK(!rtp_read(&header, packet, 32));
    packet[31] = 21;
    CHECK(!rtp_read(&header, packet, 32));
    packet[31] = 20;
    CHECK(rtp_read(&header, packet, 32) && header.payload_size == 0);
}

static void rtcp_is_told_from_rtp(void)
{
    CHECK(rtp_is_rtcp((uint8_t[]){0x80, 200}, 2));
    CHECK(!rtp_is_rtcp((uint8_t[]){0x80, 8}, 2));
    CHECK(!rtp_is_rtcp((uint8_t[]){0x80, 0x80 | 8}, 2));
    CHECK(!rtp_is_rtcp((uint8_t[]){0x00, 200}, 2));
    CHECK(!rtp_is_rtcp((uint8_t[]){0x80}, 1));
}

static void compounds_come_back_as_written(void)
{
    uint8_t packet[RTCP_MAX_COMPOUND];
    struct rtcp_statement statement = {
        .ssrc = 7, .is_sender = true, .ntp = 0x0123456789abcdefu, .packets = 3, .octets = 480, .has_block = true,
        .block = {.ssrc = 42, .fraction_lost = 12, .cumulative_lost = 5, .newest = 0x10005, .jitter = 33,
                  .last_report = 77, .delay = 65536},
        .cname = "0123456789abcdef", .says_bye = true};
    size_t size = rtcp_write(packet, &statement);
    struct rtcp_news news;
    CHECK(size <= RTCP_MAX_COMPOUND && size % 4 == 0);
    CHECK(rtcp_read(&news, packet, size, 42));
    CHECK(news.has_sender_report && read_u32(packet + 4) == 7 && news.ntp_middle == 0x456789abu);
    CHECK(news.has_block && news.block.fraction_lost == 12 && news.block.cumulative_lost == 5);
    CHECK(news.block.newest == 0x10005 && news.block.jitter == 33 && news.block.delay == 65536);
    CHECK(size == 52 + 28 + 8 && packet[52 + 1] == 202 && packet[52 + 28 + 1] == 203);
    CHECK(rtcp_read(&news, packet, size, 43) && !news.has_block);
    for (size_t cut = 0; cut < size; cut++) {
        bool is_boundary = cut == 52 || cut == 52 + 28;
        CHECK(rtcp_read(&news, packet, cut, 42) == is_boundary);
    }
    statement.is_sender = statement.has_block = statement.says_bye = false;
    statement.cname[0] = '\0';
    size = rtcp_write(packet, &statement);
    CHECK(size == 8 + 12 && rtcp_read(&news, packet, size, 42) && !news.has_sender_report);
    packet[0] |= 1; /* claims a block that is not there */
    CHECK(!rtcp_read(&news, packet, size, 42));
}

static void round_trips_are_measured_or_refused(void)
{
    struct rtcp_block block = {.last_report = 1000, .delay = 65536};
    CHECK(rtcp_round_trip_ms(&block, 1000 + 65536 + 32768) == 500.0);
    CHECK(rtcp_round_trip_ms(&block, 1000) < 0);
    block.last_report = 0;
    CHECK(rtcp_round_trip_ms(&block, 99999999) < 0);
    CHECK(rtcp_ntp(0) >> 32 == 2208988800u);
    CHECK((uint32_t)rtcp_ntp(500000000) == 0x80000000u);
}

void test_packets(void)
{
    headers_come_back_as_written();
    lies_about_lengths_are_refused();
    rtcp_is_told_from_rtp();
    compounds_come_back_as_written();
    round_trips_are_measured_or_refused();
}

/* Each packet stands in a block of exactly its size, so that the sanitizer sees a read beyond it. */
void test_random_packets(void)
{
    struct chance chance = {20261123};
    unsigned sound_rtp_packets = 0, sound_rtcp_packets = 0;
    uint8_t space[512];
    for (int i = 0; i < RANDOM_PACKETS; i++) {
        size_t size = chance_packet(&chance, space, sizeof space);
        uint8_t *packet = malloc(size ? size : 1);
        CHECK(packet);
        memcpy(packet, space, size);
        struct rtp_header header;
        struct rtcp_news news;
        if (rtp_read(&header, packet, size)) {
            sound_rtp_packets++;
            CHECK(header.payload_size <= size - RTP_HEADER_SIZE);
            rtp_write(packet, &header);
        }
        (void)rtp_is_rtcp(packet, size);
        sound_rtcp_packets += rtcp_read(&news, packet, size, 1);
        free(packet);
    }
    CHECK(sound_rtp_packets > RANDOM_PACKETS / 10 && sound_rtcp_packets > RANDOM_PACKETS / 10);
    printf("%d executions\n", RANDOM_PACKETS);
}
