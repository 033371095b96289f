#include "mix.h"

#include <stdlib.h>
#include <string.h>

#include "ear.h"
#include "speaker.h"

enum { MOST_DRAINED = 6 };

struct member {
    struct mix *mix;
    struct leg *leg;
    struct rtp_header source; /* the numbering of what is sent to the leg */
    bool is_sending;
    bool is_wide;
    struct bank halving; /* of what is sent to a narrow member of a wide mix */
    struct bank doubling; /* of a clip that is heard in a wide mix */
    bool has_overlay;
    int16_t overlay[JITTER_FRAME]; /* of a clip, heard over the others in this tick */
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
    mix_review(leg);
    return member;
}

/* Recordings and tones alone need no wide ear. */
static void set_wide(struct member *member, bool is_wide)
{
    if (member->is_wide == is_wide)
        return;
    member->is_wide = is_wide;
    member->mix->wide = is_wide ? member->mix->wide + 1 : member->mix->wide - 1;
    ear_set_wide(member->leg->ear, is_wide);
}

void mix_review(struct leg *leg)
{
    uint8_t payload_type;
    if (leg->member)
        set_wide(leg->member, codec_is_wide(plan_playable(&leg->plan, &payload_type)));
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
    set_wide(member, false);
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

static inline void add(int32_t *sum, const struct leg *leg, int32_t factor, bool is_wide)
{
    const struct ear *ear = leg->ear;
    if (!ear->is_audible || !leg->plan.receives)
        return;
    const int16_t *frame = is_wide ? ear->wide : ear->frame;
    for (int i = 0; i < (is_wide ? JITTER_MOST_FRAME : JITTER_FRAME); i++)
        sum[i] += factor * frame[i];
}

static void sum_up(const struct mix *mix, int32_t *sum, bool is_wide)
{
    memset(sum, 0, (is_wide ? JITTER_MOST_FRAME : JITTER_FRAME) * sizeof *sum);
    for (const struct link *link = mix->members.next; link != &mix->members; link = link->next)
        add(sum, LIST_OWNER(link, struct member, link)->leg, 1, is_wide);
}

void mix_sum(const struct mix *mix, int32_t *sum)
{
    sum_up(mix, sum, false);
}

static bool may_hear(const struct member *member, const struct leg *leg)
{
    for (int i = 0; i < member->heard_count; i++) {
        if (member->heard[i] == leg->id)
            return true;
    }
    return false;
}

static inline int16_t limited(int32_t sample)
{
    return (int16_t)(sample > INT16_MAX ? INT16_MAX : sample < INT16_MIN ? INT16_MIN : sample);
}

/* What a member hears: all without itself, or those it may hear; whether that is more than silence. */
static inline bool gather(const struct mix *mix, const struct member *member, const int32_t *all, int16_t *frame,
                          bool is_wide)
{
    int count = is_wide ? JITTER_MOST_FRAME : JITTER_FRAME;
    int32_t sum[JITTER_MOST_FRAME], any = 0;
    if (member->heard_count == MIX_EVERYBODY) {
        memcpy(sum, all, (size_t)count * sizeof *sum);
        add(sum, member->leg, -1, is_wide);
    } else {
        memset(sum, 0, (size_t)count * sizeof *sum);
        for (const struct link *link = mix->members.next; link != &mix->members; link = link->next) {
            const struct member *other = LIST_OWNER(link, struct member, link);
            if (other != member && may_hear(member, other->leg))
                add(sum, other->leg, 1, is_wide);
        }
    }
    for (int i = 0; i < count; i++) {
        any |= sum[i];
        frame[i] = limited(sum[i]);
    }
    return any != 0;
}

static void speak_to(struct relay *relay, struct member *member, const int16_t *frame, bool is_wide)
{
    struct leg *leg = member->leg;
    if (speaker_sends_digit(leg)) {
        member->is_sending = false;
        return;
    }
    if (!member->is_sending) {
        stream_change_source(&leg->stream);
        member->is_sending = true;
    }
    speaker_send(relay, leg, &member->source, frame, is_wide ? JITTER_MOST_FRAME : JITTER_FRAME, is_wide);
    member->source.sequence++;
    member->source.timestamp += JITTER_FRAME;
}

static void lay_over(struct member *member, int16_t *frame, bool is_wide)
{
    int16_t doubled[JITTER_MOST_FRAME];
    const int16_t *clip = member->overlay;
    if (is_wide) {
        bank_double(&member->doubling, doubled, member->overlay, JITTER_FRAME);
        clip = doubled;
    }
    for (int i = 0; i < (is_wide ? JITTER_MOST_FRAME : JITTER_FRAME); i++)
        frame[i] = limited(frame[i] + clip[i]);
    member->has_overlay = false;
}

void mix_overlay(struct leg *leg, const int16_t frame[JITTER_FRAME])
{
    memcpy(leg->member->overlay, frame, sizeof leg->member->overlay);
    leg->member->has_overlay = true;
}

/* A frame in which nobody is heard sounds like a line that lives rather than like a broken one. */
static inline void serve(struct relay *relay, struct mix *mix, struct member *member, const int32_t *all, bool is_wide)
{
    int16_t frame[JITTER_MOST_FRAME], narrow[JITTER_FRAME];
    if (!gather(mix, member, all, frame, is_wide))
        noise_fill(&mix->seed, NOISE_OF_A_LINE, frame, is_wide ? JITTER_MOST_FRAME : JITTER_FRAME);
    if (member->has_overlay)
        lay_over(member, frame, is_wide);
    if (!is_wide || member->is_wide) {
        speak_to(relay, member, frame, is_wide);
        return;
    }
    bank_halve(&member->halving, narrow, frame, JITTER_FRAME);
    speak_to(relay, member, narrow, false);
}

/* The ear may serve a recording, too: its buffer is read, not emptied. What was not to be heard, such as an operator
 * that listened until now, stays unheard. */
static void drain(struct relay *relay, const struct member *from, struct member *to)
{
    if (to->heard_count != MIX_EVERYBODY && !may_hear(to, from->leg))
        return;
    const struct ear *ear = from->leg->ear;
    struct jitter rest = ear->jitter;
    int16_t frame[JITTER_MOST_FRAME], narrow[JITTER_FRAME];
    for (int i = 0; i < MOST_DRAINED && from->leg->plan.receives && jitter_holds(&rest); i++) {
        jitter_take(&rest, frame);
        bool is_wide = ear->is_wide && to->is_wide;
        if (ear->is_wide && !is_wide)
            bank_halve(&to->halving, narrow, frame, JITTER_FRAME);
        speak_to(relay, to, ear->is_wide && !is_wide ? narrow : frame, is_wide);
    }
}

void mix_drain(struct relay *relay, struct leg *one, struct leg *other)
{
    if (one == other || !one->member || !other->member || one->member->mix != other->member->mix)
        return;
    drain(relay, one->member, other->member);
    drain(relay, other->member, one->member);
}

static void mix_narrow(struct relay *relay, struct mix *mix)
{
    int32_t all[JITTER_FRAME];
    sum_up(mix, all, false);
    for (struct link *link = mix->members.next; link != &mix->members; link = link->next)
        serve(relay, mix, LIST_OWNER(link, struct member, link), all, false);
}

static void mix_wide(struct relay *relay, struct mix *mix)
{
    int32_t all[JITTER_MOST_FRAME];
    for (struct link *link = mix->members.next; link != &mix->members; link = link->next)
        ear_widen(LIST_OWNER(link, struct member, link)->leg->ear);
    sum_up(mix, all, true);
    for (struct link *link = mix->members.next; link != &mix->members; link = link->next)
        serve(relay, mix, LIST_OWNER(link, struct member, link), all, true);
}

void mix_tick(struct relay *relay)
{
    for (struct link *link = relay->mixes.next; link != &relay->mixes; link = link->next) {
        struct mix *mix = LIST_OWNER(link, struct mix, link);
        if (mix->wide >= 2)
            mix_wide(relay, mix);
        else
            mix_narrow(relay, mix);
    }
}
