#include "mix.h"

#include <stdlib.h>
#include <string.h>

#include "ear.h"
#include "speaker.h"

struct member {
    struct mix *mix;
    struct leg *leg;
    struct rtp_header source; /* the numbering of what is sent to the leg */
    bool is_sending;
    int heard_count; /* MIX_EVERYBODY, or how many ids follow */
    uint64_t *heard;
    struct link link;
};

struct mix *mix_make(void)
{
    struct mix *mix = calloc(1, sizeof *mix);
    if (!mix)
        return NULL;
    atomic_init(&mix->holders, 1);
    list_begin(&mix->members);
    list_begin(&mix->link);
    return mix;
}

struct mix *mix_hold(struct mix *mix)
{
    atomic_fetch_add_explicit(&mix->holders, 1, memory_order_relaxed);
    return mix;
}

void mix_release(struct mix *mix)
{
    if (mix && atomic_fetch_sub_explicit(&mix->holders, 1, memory_order_acq_rel) == 1)
        free(mix);
}

static void limit_hearing(struct member *member, const uint64_t *heard, int count)
{
    free(member->heard);
    member->heard = NULL;
    member->heard_count = count;
    if (count <= 0)
        return;
    member->heard = malloc((size_t)count * sizeof *heard);
    if (member->heard)
        memcpy(member->heard, heard, (size_t)count * sizeof *heard);
    else
        member->heard_count = 0; /* out of memory it hears nobody rather than whom it must not */
}

static struct member *enter(struct relay *relay, struct mix *mix, struct leg *leg)
{
    struct member *member = calloc(1, sizeof *member);
    if (!member || !ear_open(relay, leg)) {
        free(member);
        return NULL;
    }
    member->mix = mix;
    member->leg = leg;
    list_begin(&member->link);
    list_join(&mix->members, &member->link);
    if (mix->size++ == 0) {
        mix_hold(mix);
        list_join(&relay->mixes, &mix->link);
    }
    leg->member = member;
    stream_change_source(&leg->stream);
    return member;
}

void mix_join(struct relay *relay, struct mix *mix, struct leg *leg, const uint64_t *heard, int count)
{
    struct member *member = leg->member;
    if (member && member->mix != mix) {
        mix_leave(leg);
        member = NULL;
    }
    if (!member)
        member = enter(relay, mix, leg);
    if (member)
        limit_hearing(member, heard, count);
}

void mix_leave(struct leg *leg)
{
    struct member *member = leg->member;
    if (!member)
        return;
    struct mix *mix = member->mix;
    leg->member = NULL;
    list_leave(&member->link);
    free(member->heard);
    free(member);
    ear_close(leg);
    stream_change_source(&leg->stream);
    if (--mix->size == 0) {
        list_leave(&mix->link);
        mix_release(mix);
    }
}

static void add(int32_t *sum, const struct leg *leg, int32_t factor)
{
    const struct ear *ear = leg->ear;
    if (!ear->is_audible || !leg->plan.receives)
        return;
    for (int i = 0; i < JITTER_FRAME; i++)
        sum[i] += factor * ear->frame[i];
}

void mix_sum(const struct mix *mix, int32_t *sum)
{
    memset(sum, 0, JITTER_FRAME * sizeof *sum);
    for (const struct link *link = mix->members.next; link != &mix->members; link = link->next)
        add(sum, LIST_OWNER(link, struct member, link)->leg, 1);
}

static bool may_hear(const struct member *member, const struct leg *leg)
{
    for (int i = 0; i < member->heard_count; i++) {
        if (member->heard[i] == leg->id)
            return true;
    }
    return false;
}

/* What a member hears: all without itself, or those it may hear. */
static void gather(const struct mix *mix, const struct member *member, const int32_t *all, int16_t *frame)
{
    int32_t sum[JITTER_FRAME];
    if (member->heard_count == MIX_EVERYBODY) {
        memcpy(sum, all, sizeof sum);
        add(sum, member->leg, -1);
    } else {
        memset(sum, 0, sizeof sum);
        for (const struct link *link = mix->members.next; link != &mix->members; link = link->next) {
            const struct member *other = LIST_OWNER(link, struct member, link);
            if (other != member && may_hear(member, other->leg))
                add(sum, other->leg, 1);
        }
    }
    for (int i = 0; i < JITTER_FRAME; i++)
        frame[i] = (int16_t)(sum[i] > INT16_MAX ? INT16_MAX : sum[i] < INT16_MIN ? INT16_MIN : sum[i]);
}

static void speak_to(struct relay *relay, struct member *member, const int16_t *frame)
{
    struct leg *leg = member->leg;
    if (speaker_is_busy(leg)) {
        member->is_sending = false;
        return;
    }
    if (!member->is_sending) {
        if (leg->player.clip)
            return; /* its last frame fades out first */
        stream_change_source(&leg->stream);
        member->is_sending = true;
    }
    speaker_send(relay, leg, &member->source, frame, JITTER_FRAME);
    member->source.sequence++;
    member->source.timestamp += JITTER_FRAME;
}

void mix_tick(struct relay *relay)
{
    for (struct link *link = relay->mixes.next; link != &relay->mixes; link = link->next) {
        struct mix *mix = LIST_OWNER(link, struct mix, link);
        int32_t all[JITTER_FRAME];
        int16_t frame[JITTER_FRAME];
        mix_sum(mix, all);
        for (struct link *each = mix->members.next; each != &mix->members; each = each->next) {
            struct member *member = LIST_OWNER(each, struct member, link);
            gather(mix, member, all, frame);
            speak_to(relay, member, frame);
        }
    }
}
