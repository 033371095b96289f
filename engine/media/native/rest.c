#define _GNU_SOURCE
#include "rest.h"

#include <sys/epoll.h>

enum { MOST_CLOSED_A_TICK = 16 };

static void lay_down(struct relay *relay, struct pair *pair)
{
    pair->idle_since_ns = relay->now_ns;
    list_join(&relay->idle, &pair->rest_link);
    relay->idle_pairs++;
    pair_become(pair, PAIR_IDLE);
}

static void get_up(struct relay *relay, struct pair *pair)
{
    if (list_is_empty(&pair->rest_link))
        return;
    list_leave(&pair->rest_link);
    relay->idle_pairs--;
}

static void let_go(struct relay *relay, struct pair *pair)
{
    if (!pair_move(pair, PAIR_IDLE, PAIR_LEAVING))
        return;
    get_up(relay, pair);
    list_join(&relay->leaving, &pair->rest_link);
}

void rest_prepare(struct relay *relay, struct pair *pair)
{
    if (pair_move(pair, PAIR_WANTED, PAIR_BINDING)) {
        bool is_bound = relay->idle_pairs < relay->most_idle_pairs && pair_bind(pair) == PAIR_BOUND;
        if (is_bound && relay_watch(relay, pair)) {
            lay_down(relay, pair);
        } else {
            pair_close(pair);
            pair_become(pair, PAIR_REFUSED);
        }
    }
    atomic_store_explicit(&pair->is_awaited, false, memory_order_release);
}

void rest_begin(struct relay *relay, struct pair *pair)
{
    pair->rtp.leg = pair->rtcp.leg = NULL;
    pair->free_at_ns = relay->now_ns + relay->rest_ns;
    if (relay->idle_pairs < relay->most_idle_pairs) {
        lay_down(relay, pair);
    } else {
        pair_become(pair, PAIR_LEAVING);
        list_join(&relay->leaving, &pair->rest_link);
    }
}

void rest_end(struct relay *relay, struct pair *pair)
{
    get_up(relay, pair);
}

void rest_hear(struct relay *relay, struct pair *pair)
{
    if (relay->now_ns + relay->rest_ns / 2 >= pair->free_at_ns)
        let_go(relay, pair);
}

void rest_tick(struct relay *relay)
{
    struct link *next;
    unsigned seen = 0;
    for (struct link *link = relay->idle.next; link != &relay->idle && seen++ < MOST_CLOSED_A_TICK; link = next) {
        struct pair *pair = LIST_OWNER(link, struct pair, rest_link);
        next = link->next;
        if (relay->now_ns - pair->idle_since_ns < 2 * relay->rest_ns)
            return;
        let_go(relay, pair);
    }
}

void rest_bury(struct relay *relay)
{
    while (!list_is_empty(&relay->leaving)) {
        struct pair *pair = LIST_OWNER(relay->leaving.next, struct pair, rest_link);
        list_leave(&pair->rest_link);
        /* Parting from epoll here and not at close keeps a port of the same number from meeting an old event. */
        epoll_ctl(relay->poll, EPOLL_CTL_DEL, pair->rtp.fd, NULL);
        epoll_ctl(relay->poll, EPOLL_CTL_DEL, pair->rtcp.fd, NULL);
        pair_close(pair);
        pair_become(pair, PAIR_CLOSED);
    }
}
