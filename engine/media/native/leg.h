/* A leg: one RTP/RTCP port pair towards one peer, owned by the relay's thread once it is open. */
#ifndef FRONTDESK_LEG_H
#define FRONTDESK_LEG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "clip.h"
#include "digits.h"
#include "codec.h"
#include "latch.h"
#include "list.h"
#include "noise.h"
#include "pair.h"
#include "plan.h"
#include "reception.h"
#include "rtcp.h"
#include "scale.h"
#include "stream.h"

/* The figures that the engine may read while the thread counts on. */
struct account {
    struct reception reception;
    union address latched; /* AF_UNSPEC before the first packet */
    uint64_t sent_packets;
    uint64_t sent_octets; /* of payload */
    uint64_t strangers;
    uint64_t malformed;
    uint64_t unexpected_payload;
    uint64_t heard_at_ns; /* last RTP or RTCP from the peer; 0 before the first */
    uint32_t told_lost;   /* what the peer's reports say of our stream */
    uint32_t told_jitter;
    uint32_t told_clock_rate;
    float round_trip_ms; /* below 0 while unknown */
    bool is_quiet;       /* the peer has said that it is silent (RFC 3389) */
};

struct player {
    struct clip *clip; /* NULL while nothing plays */
    size_t at;
    bool repeats;
    bool is_ending; /* one more frame, which fades out, unless somebody else has something to send first */
    unsigned serial;
    unsigned ticks_to_wait;
    struct rtp_header source; /* the clip's own numbering, which the stream maps like any source's */
    struct link link;
};

struct ear;
struct member;

struct leg {
    struct pair *pair;
    int rtp_fd; /* the pair's */
    int rtcp_fd;
    struct leg *other; /* whose packets are sent here and who gets ours; itself for an echo */
    atomic_uint turn; /* odd while the account changes */
    struct account account;
    struct stream stream;
    struct latch rtp_latch;
    struct latch rtcp_latch;
    struct player player;
    struct ear *ear;           /* NULL while nobody needs samples of the peer's audio */
    struct member *member;     /* of a mix, or NULL */
    struct event_hearing events;
    struct digit_sender sender;
    struct voice hearing;      /* the peer's audio */
    struct voice speaking;     /* what goes to it */
    struct scale relayed;      /* the timestamps of what goes to the other leg, where that has another clock */
    uint32_t relayed_clock;    /* of the payload that went to the other leg last */
    struct noise noise;        /* the peer's */
    uint64_t peer_report_at_ns;
    uint32_t peer_report_ntp;
    uint64_t reported_sent; /* counts as of our last report */
    uint64_t reported_received;
    struct link report_link;
    struct plan plan;
    struct route routes[RTP_PAYLOAD_TYPES];
    char cname[RTCP_CNAME_SIZE + 1];
    /* The engine's side. */
    uint64_t id;
    uint8_t play_payload_type;
    enum codec play_codec;
    unsigned plays_asked;
    atomic_uint plays_ended; /* the serial of the last one that ended */
};

/* A leg on a bound pair with random SSRC, sequence, timestamp and CNAME; NULL when memory is out. */
struct leg *leg_make(struct pair *pair);

/* Frees everything but the pair. */
void leg_free(struct leg *leg);

/* Thread: takes over a plan. */
void leg_plan(struct leg *leg, const struct plan *plan);

/* Thread: makes two legs each other's source, or parts one from its other. */
void leg_connect(struct leg *one, struct leg *other);
void leg_disconnect(struct leg *leg);

/* Engine: a consistent copy of the figures; never waits for the thread. */
void leg_read(struct leg *leg, struct account *account);

static inline void account_open(struct leg *leg)
{
    atomic_store_explicit(&leg->turn, atomic_load_explicit(&leg->turn, memory_order_relaxed) + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
}

static inline void account_close(struct leg *leg)
{
    atomic_store_explicit(&leg->turn, atomic_load_explicit(&leg->turn, memory_order_relaxed) + 1, memory_order_release);
}

#endif
