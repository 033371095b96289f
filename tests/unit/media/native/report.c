#include "report.h"

#include <string.h>

#include "check.h"

enum { SCHEDULES = 20000, MEAN_TICKS = 5000 / RELAY_TICK_MS };

/* RFC 3550 6.2 and 6.3.1: five seconds on average, spread from half of that to one and a half, so that the reports of
 * calls which began together do not stay together; the first one comes after half the time. */
static void intervals_are_spread_around_five_seconds(bool is_first)
{
    static struct relay relay;
    static struct leg leg;
    unsigned mean = is_first ? MEAN_TICKS / 2 : MEAN_TICKS, least = RELAY_WHEEL, most = 0;
    uint64_t sum = 0;
    memset(&relay, 0, sizeof relay);
    relay.chance = 4711;
    for (int i = 0; i < RELAY_WHEEL; i++)
        list_begin(&relay.wheel[i]);
    list_begin(&leg.report_link);
    for (int i = 0; i < SCHEDULES; i++) {
        report_schedule(&relay, &leg, is_first);
        unsigned ticks = (unsigned)(LIST_OWNER(leg.report_link.next, struct link, next) - relay.wheel);
        sum += ticks;
        least = ticks < least ? ticks : least;
        most = ticks > most ? ticks : most;
    }
    CHECK(least == mean / 2 && most >= mean * 3 / 2 - 2 && most <= mean * 3 / 2);
    CHECK(sum / SCHEDULES >= mean - mean / 50 && sum / SCHEDULES <= mean + mean / 50);
}

void test_report(void)
{
    intervals_are_spread_around_five_seconds(true);
    intervals_are_spread_around_five_seconds(false);
}
