/* RTCP fuzzed: what is read of a compound is sound, and what we write with it is read again. */
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "rtcp.h"
#include "rtp.h"

#define DEMAND(claim) ((claim) ? (void)0 : abort())

static bool is_same(const struct rtcp_block *one, const struct rtcp_block *other)
{
    return one->ssrc == other->ssrc && one->fraction_lost == other->fraction_lost &&
           one->cumulative_lost == other->cumulative_lost && one->newest == other->newest &&
           one->jitter == other->jitter && one->last_report == other->last_report && one->delay == other->delay;
}

/* Our report that carries the block, as a peer would read it. */
static void write_again(const struct rtcp_news *news, uint32_t our_ssrc, unsigned kinds)
{
    uint8_t packet[RTCP_MAX_COMPOUND];
    struct rtcp_news again;
    struct rtcp_statement statement = {
        .ssrc = our_ssrc,
        .is_sender = kinds & 1,
        .ntp = (uint64_t)news->ntp_middle << 16,
        .has_block = news->has_block,
        .block = news->block,
        .says_bye = kinds & 2,
        .cname = "0123456789abcdef",
    };
    statement.cname[kinds % (RTCP_CNAME_SIZE + 1)] = '\0';
    size_t size = rtcp_write(packet, &statement);
    DEMAND(size <= sizeof packet && size % 4 == 0);
    DEMAND(rtp_is_rtcp(packet, size) && rtcp_read(&again, packet, size, our_ssrc));
    DEMAND(again.has_sender_report == statement.is_sender && again.has_block == news->has_block);
    DEMAND(again.says_bye == statement.says_bye);
    DEMAND(!again.has_sender_report || again.ntp_middle == news->ntp_middle);
    DEMAND(!again.has_block || is_same(&again.block, &news->block));
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    struct rtcp_news news;
    if (size < 4)
        return 0;
    uint32_t our_ssrc = read_u32(input);
    size -= 4;
    const uint8_t *packet = input + 4; /* libFuzzer's block ends where the packet ends: a read beyond it is seen */
    if (rtcp_read(&news, packet, size, our_ssrc)) {
        DEMAND(size % 4 == 0 && size >= 4);
        DEMAND(!news.has_block || (news.block.ssrc == our_ssrc && news.block.cumulative_lost <= 0x7fffff));
        double trip_ms = rtcp_round_trip_ms(&news.block, our_ssrc ^ news.ntp_middle);
        DEMAND(trip_ms == -1.0 || (trip_ms >= 0 && trip_ms < 60000));
        write_again(&news, our_ssrc, packet[size - 1]);
    }
    return 0;
}
