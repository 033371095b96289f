#include "reception.h"

#include "check.h"

static enum reception_verdict take(struct reception *reception, uint32_t ssrc, unsigned sequence, uint64_t at_ms)
{
    struct rtp_header header = {
        .sequence = (uint16_t)sequence, .ssrc = ssrc, .timestamp = sequence * 160, .payload_size = 160};
    return reception_take(reception, &header, 8000, at_ms * 1000000);
}

static void losses_are_counted_across_the_wrap(void)
{
    struct reception reception = {0};
    CHECK(take(&reception, 1, 65530, 1000) == RECEPTION_NEW_SOURCE);
    for (unsigned i = 1; i < 20; i++)
        if (i % 5)
            CHECK(take(&reception, 1, 65530 + i, 1000 + 20 * i) == RECEPTION_IN_ORDER);
    CHECK(reception_expected(&reception) == 20 && reception_lost(&reception) == 3 && reception.packets == 17);
    struct reception_report report = reception_report(&reception);
    CHECK(report.cumulative_lost == 3 && report.fraction_lost == 3 * 255 / 20);
    CHECK(reception_report(&reception).fraction_lost == 0);
}

static void duplicates_are_told_from_late_ones(void)
{
    struct reception reception = {0};
    for (unsigned i = 100; i < 200; i++)
        if (i != 150 && i != 199 - 63)
            take(&reception, 1, i, 20 * i);
    CHECK(reception_lost(&reception) == 2);
    CHECK(take(&reception, 1, 150, 4000) == RECEPTION_LATE);
    CHECK(take(&reception, 1, 150, 4000) == RECEPTION_DUPLICATE);
    CHECK(take(&reception, 1, 199, 4000) == RECEPTION_DUPLICATE);
    CHECK(take(&reception, 1, 199 - 63, 4000) == RECEPTION_LATE);
    CHECK(reception_lost(&reception) == 0 && reception.packets == 100);
}

static void a_packet_from_before_the_first_is_no_gain(void)
{
    struct reception reception = {0};
    take(&reception, 1, 0, 0);
    CHECK(take(&reception, 1, 65535, 1) == RECEPTION_LATE);
    CHECK(reception_expected(&reception) == 2 && reception_lost(&reception) == 0);
}

static void another_source_needs_two_packets(void)
{
    struct reception reception = {0};
    for (unsigned i = 0; i < 10; i++)
        take(&reception, 1, i, 20 * i);
    CHECK(take(&reception, 2, 500, 300) == RECEPTION_SUSPECT);
    CHECK(take(&reception, 1, 10, 301) == RECEPTION_IN_ORDER);
    CHECK(take(&reception, 2, 501, 320) == RECEPTION_SUSPECT);
    CHECK(take(&reception, 2, 502, 340) == RECEPTION_NEW_SOURCE);
    CHECK(reception.ssrc == 2 && reception.packets == 12 && reception_expected(&reception) == 12);
}

static void a_restarted_sequence_is_no_loss(void)
{
    struct reception reception = {0};
    for (unsigned i = 0; i < 10; i++)
        take(&reception, 1, i, 20 * i);
    CHECK(take(&reception, 1, 30000, 300) == RECEPTION_SUSPECT);
    CHECK(take(&reception, 1, 30001, 320) == RECEPTION_NEW_SOURCE);
    CHECK(take(&reception, 1, 30002, 340) == RECEPTION_IN_ORDER);
    CHECK(reception_lost(&reception) == 0 && reception_expected(&reception) == 12);
}

static void jitter_follows_a8(void)
{
    struct reception reception = {0};
    for (unsigned i = 0; i < 1000; i++)
        take(&reception, 1, i, 20 * i);
    CHECK(reception_jitter_ms(&reception) == 0.0);
    for (unsigned i = 1000; i < 2000; i++)
        take(&reception, 1, i, 20 * i + i % 2 * 10);
    CHECK(reception_jitter_ms(&reception) > 9.0 && reception_jitter_ms(&reception) < 10.1);
}

static void random_sequences_keep_the_figures_sane(void)
{
    struct reception reception = {0};
    struct chance chance = {7};
    for (unsigned i = 0; i < 1000000; i++) {
        take(&reception, chance_next(&chance) % 50 == 0, chance_next(&chance) % 8 ? i : chance_next(&chance), i);
        CHECK(reception_lost(&reception) <= reception_expected(&reception));
        if (i % 1000 == 0)
            (void)reception_report(&reception);
    }
    CHECK(reception_expected(&reception) <= reception.packets + reception_lost(&reception));
}

void test_reception(void)
{
    losses_are_counted_across_the_wrap();
    duplicates_are_told_from_late_ones();
    a_packet_from_before_the_first_is_no_gain();
    another_source_needs_two_packets();
    a_restarted_sequence_is_no_loss();
    jitter_follows_a8();
    random_sequences_keep_the_figures_sane();
}
