#include "stream.h"

#include "check.h"

static const uint64_t MS = 1000000;

static bool place(struct stream *stream, unsigned sequence, uint64_t at_ms, struct rtp_header *out)
{
    *out = (struct rtp_header){.sequence = (uint16_t)sequence, .timestamp = sequence * 160u, .ssrc = 9};
    return stream_place(stream, out, 8000, at_ms * MS);
}

static void gaps_stay_and_sources_join_without_one(void)
{
    struct stream stream;
    struct rtp_header out;
    stream_begin(&stream, 5, 65534, 1000);
    CHECK(place(&stream, 10, 0, &out) && out.marker && out.sequence == 65534 && out.timestamp == 1000);
    CHECK(out.ssrc == 5);
    CHECK(place(&stream, 11, 20, &out) && !out.marker && out.sequence == 65535 && out.timestamp == 1160);
    CHECK(place(&stream, 13, 60, &out) && out.sequence == 1 && out.timestamp == 1480);
    CHECK(place(&stream, 12, 61, &out) && out.sequence == 0 && out.timestamp == 1320);
    stream_change_source(&stream);
    CHECK(place(&stream, 40000, 1060, &out) && out.marker && out.sequence == 2 && out.timestamp == 1480 + 8000);
    CHECK(!place(&stream, 39999, 1061, &out));
    CHECK(stream_timestamp_at(&stream, 1160 * MS) == 1480 + 8000 + 800);
}

static void a_quick_change_still_moves_time(void)
{
    struct stream stream;
    struct rtp_header out;
    stream_begin(&stream, 5, 0, 0);
    CHECK(place(&stream, 1, 100, &out));
    stream_change_source(&stream);
    CHECK(place(&stream, 1, 101, &out) && out.timestamp == 160);
}

static void what_is_left_out_is_no_gap(void)
{
    struct stream stream;
    struct rtp_header out;
    stream_begin(&stream, 5, 100, 0);
    CHECK(place(&stream, 1, 0, &out) && out.sequence == 100);
    stream_leave_out(&stream, 2);
    CHECK(place(&stream, 3, 40, &out) && out.sequence == 101);
    stream_leave_out(&stream, 9); /* out of order: 4 to 8 may still come */
    CHECK(place(&stream, 4, 60, &out) && out.sequence == 102);
    CHECK(!place(&stream, 1, 61, &out));
}

static void a_long_call_outlives_the_half_of_the_number_space(void)
{
    struct stream stream;
    struct rtp_header out;
    stream_begin(&stream, 5, 0, 0);
    for (unsigned i = 0; i < 200000; i++)
        CHECK(place(&stream, i, 20 * i, &out) && out.sequence == (uint16_t)i);
}

void test_stream(void)
{
    gaps_stay_and_sources_join_without_one();
    a_quick_change_still_moves_time();
    what_is_left_out_is_no_gap();
    a_long_call_outlives_the_half_of_the_number_space();
}
