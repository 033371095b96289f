#include "leg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct leg *leg_make(struct pair *pair)
{
    struct {
        uint32_t ssrc;
        uint32_t timestamp;
        uint64_t name;
        uint16_t sequence;
    } chance;
    struct leg *leg = calloc(1, sizeof *leg);
    if (!leg || getrandom(&chance, sizeof chance, GRND_NONBLOCK) != sizeof chance) {
        free(leg);
        return NULL;
    }
    leg->pair = pair;
    leg->rtp_fd = pair->rtp.fd;
    leg->rtcp_fd = pair->rtcp.fd;
    leg->account.round_trip_ms = -1.0f;
    stream_begin(&leg->stream, chance.ssrc, chance.sequence, chance.timestamp);
    snprintf(leg->cname, sizeof leg->cname, "%016llx", (unsigned long long)chance.name);
    plan_route(leg->routes, &leg->plan, NULL);
    list_begin(&leg->player.link);
    list_begin(&leg->sender.link);
    list_begin(&leg->noise.link);
    voice_begin(&leg->hearing);
    voice_begin(&leg->speaking);
    list_begin(&leg->report_link);
    return leg;
}

void leg_free(struct leg *leg)
{
    clip_release(leg->player.clip);
    voice_end(&leg->hearing);
    voice_end(&leg->speaking);
    free(leg);
}

static void route_payloads(struct leg *leg)
{
    plan_route(leg->routes, &leg->plan, leg->other ? &leg->other->plan : NULL);
}

void leg_plan(struct leg *leg, const struct plan *plan)
{
    leg->plan = *plan;
    latch_announce(&leg->rtp_latch, &plan->rtp, plan->trusted, plan->trusted_hosts);
    latch_announce(&leg->rtcp_latch, &plan->rtcp, plan->trusted, plan->trusted_hosts);
    route_payloads(leg);
    if (leg->other && leg->other != leg)
        route_payloads(leg->other);
}

void leg_disconnect(struct leg *leg)
{
    struct leg *other = leg->other;
    if (!other)
        return;
    leg->other = other->other = NULL;
    stream_change_source(&leg->stream);
    stream_change_source(&other->stream);
    route_payloads(leg);
    route_payloads(other);
}

void leg_connect(struct leg *one, struct leg *other)
{
    if (one->other == other)
        return;
    leg_disconnect(one);
    leg_disconnect(other);
    one->other = other;
    other->other = one;
    route_payloads(one);
    route_payloads(other);
}

void leg_read(struct leg *leg, struct account *account)
{
    /* The thread writes for nanoseconds at a time; the limit is for a thread that was suspended right then. */
    for (int tries = 0; tries < 10000; tries++) {
        unsigned before = atomic_load_explicit(&leg->turn, memory_order_acquire);
        memcpy(account, &leg->account, sizeof *account);
        atomic_thread_fence(memory_order_acquire);
        if (!(before & 1) && atomic_load_explicit(&leg->turn, memory_order_relaxed) == before)
            return;
    }
}
