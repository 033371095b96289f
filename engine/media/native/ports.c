#define _GNU_SOURCE
#include "ports.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "moment.h"

enum { MOST_AHEAD = 16, MOST_WAITS = 100, WAIT_NS = 50000 };

bool ports_begin(struct ports *ports, uint16_t first, uint16_t last)
{
    uint32_t even = (uint32_t)first + (first & 1);
    *ports = (struct ports){.first = (uint16_t)even};
    if (last < even + 1)
        return false;
    ports->pairs = (last - even + 1) / 2;
    return true;
}

static void join(struct pair_queue *queue, struct pair *pair)
{
    pair->next = NULL;
    if (queue->last)
        queue->last->next = pair;
    else
        queue->first = pair;
    queue->last = pair;
    queue->count++;
}

/* Takes out the pair that follows before, or the first one. */
static struct pair *leave(struct pair_queue *queue, struct pair *before)
{
    struct pair *pair = before ? before->next : queue->first;
    if (before)
        before->next = pair->next;
    else
        queue->first = pair->next;
    if (queue->last == pair)
        queue->last = before;
    queue->count--;
    return pair;
}

static void clear(struct pair_queue *queue)
{
    while (queue->first) {
        struct pair *pair = leave(queue, NULL);
        pair_close(pair);
        free(pair);
    }
}

void ports_end(struct ports *ports)
{
    while (ports->shelves) {
        struct shelf *shelf = ports->shelves;
        ports->shelves = shelf->next;
        clear(&shelf->fresh);
        clear(&shelf->rested);
        free(shelf);
    }
}

static struct shelf *find_shelf(struct ports *ports, const union address *host)
{
    struct shelf *shelf = ports->shelves;
    while (shelf && !address_has_same_host(&shelf->host, host))
        shelf = shelf->next;
    if (shelf || !(shelf = calloc(1, sizeof *shelf + ports->pairs * sizeof shelf->taken[0])))
        return shelf;
    shelf->host = *host;
    shelf->next = ports->shelves;
    ports->shelves = shelf;
    return shelf;
}

/* Forgets a host on which no port was ever bound. */
static void drop_empty(struct ports *ports, struct shelf *shelf)
{
    struct shelf **link = &ports->shelves;
    if (shelf->taken_numbers)
        return;
    while (*link != shelf)
        link = &(*link)->next;
    *link = shelf->next;
    free(shelf);
}

static void free_number(struct ports *ports, struct pair *pair)
{
    pair->shelf->taken[(uint32_t)(pair->number - ports->first) / 2] = false;
    pair->shelf->taken_numbers--;
    free(pair);
}

/* A pair for the next free number, in no queue; NULL when there is none, or no memory. Walks round the whole range, so
 * that a number rests as long as possible. */
static struct pair *make_pair(struct ports *ports, struct shelf *shelf)
{
    if (shelf->taken_numbers == ports->pairs)
        return NULL;
    while (shelf->taken[shelf->next_number])
        shelf->next_number = (shelf->next_number + 1) % ports->pairs;
    struct pair *pair = pair_make(&shelf->host, (uint16_t)(ports->first + 2 * shelf->next_number));
    if (!pair)
        return NULL;
    pair->shelf = shelf;
    shelf->taken[shelf->next_number] = true;
    shelf->taken_numbers++;
    shelf->next_number = (shelf->next_number + 1) % ports->pairs;
    return pair;
}

static bool is_over(const struct pair *pair)
{
    enum pair_state state = pair_state(pair);
    return (state == PAIR_CLOSED || state == PAIR_REFUSED) &&
           !atomic_load_explicit(&pair->is_awaited, memory_order_acquire);
}

static void reap(struct ports *ports, struct shelf *shelf, uint64_t now_ns)
{
    while (shelf->rested.first && is_over(shelf->rested.first) && shelf->rested.first->free_at_ns <= now_ns)
        free_number(ports, leave(&shelf->rested, NULL));
    while (shelf->fresh.first && is_over(shelf->fresh.first)) {
        free_number(ports, leave(&shelf->fresh, NULL));
        shelf->ahead /= 2;
    }
}

static struct pair *take_rested(struct shelf *shelf, uint64_t now_ns)
{
    struct pair *pair = shelf->rested.first;
    if (!pair || pair_state(pair) != PAIR_IDLE || pair->free_at_ns > now_ns ||
        !pair_move(pair, PAIR_IDLE, PAIR_TAKEN))
        return NULL;
    return leave(&shelf->rested, NULL);
}

/* Binds a pair here and now, whatever the thread was asked. */
static enum pair_outcome bind_now(struct relay *relay, struct pair *pair)
{
    enum pair_outcome outcome = pair_bind(pair);
    if (outcome == PAIR_BOUND && !relay_watch(relay, pair))
        outcome = PAIR_FAILED;
    int error = errno;
    if (outcome != PAIR_BOUND)
        pair_close(pair);
    pair_become(pair, outcome == PAIR_BOUND ? PAIR_TAKEN : PAIR_REFUSED);
    errno = error;
    return outcome;
}

static enum ports_outcome take_fresh(struct relay *relay, struct shelf *shelf, struct pair **taken)
{
    struct pair *before = NULL;
    for (struct pair *pair = shelf->fresh.first; pair; before = pair, pair = pair->next) {
        if (pair_move(pair, PAIR_WANTED, PAIR_BINDING)) {
            enum pair_outcome outcome = bind_now(relay, pair);
            if (outcome == PAIR_FAILED)
                return PORTS_FAILED;
            if (outcome == PAIR_IN_USE)
                continue;
        } else if (!pair_move(pair, PAIR_IDLE, PAIR_TAKEN)) {
            continue;
        }
        *taken = leave(&shelf->fresh, before);
        return PORTS_BOUND;
    }
    return PORTS_EXHAUSTED;
}

static enum ports_outcome take_new(struct ports *ports, struct relay *relay, struct shelf *shelf, struct pair **taken)
{
    for (uint32_t tries = ports->pairs; tries > 0; tries--) {
        struct pair *pair = make_pair(ports, shelf);
        if (!pair)
            return PORTS_EXHAUSTED;
        enum pair_outcome outcome = bind_now(relay, pair);
        if (outcome == PAIR_BOUND) {
            *taken = pair;
            return PORTS_BOUND;
        }
        int error = errno;
        free_number(ports, pair);
        errno = error;
        if (outcome == PAIR_FAILED)
            return PORTS_FAILED;
    }
    return PORTS_EXHAUSTED;
}

/* Has the thread bind pairs for the calls to come, once half of those asked for before are used. */
static void ask_ahead(struct ports *ports, struct relay *relay, struct shelf *shelf)
{
    if (2 * shelf->fresh.count > shelf->ahead)
        return;
    while (shelf->fresh.count < shelf->ahead) {
        struct pair *pair = make_pair(ports, shelf);
        if (!pair)
            return;
        atomic_store_explicit(&pair->is_awaited, true, memory_order_relaxed);
        if (!relay_command(relay, &(struct command){.kind = COMMAND_PREPARE, .pair = pair})) {
            free_number(ports, pair);
            return;
        }
        join(&shelf->fresh, pair);
    }
}

/* The last resort of a range that is used up: the pair that rests the longest, and numbers whose pairs were closed. */
static struct pair *take_early(struct ports *ports, struct relay *relay, struct shelf *shelf)
{
    struct pair *before = NULL, *taken;
    for (struct pair *pair = shelf->rested.first; pair; before = pair, pair = pair->next)
        if (pair_move(pair, PAIR_IDLE, PAIR_TAKEN))
            return leave(&shelf->rested, before);
    reap(ports, shelf, UINT64_MAX);
    return take_new(ports, relay, shelf, &taken) == PORTS_BOUND ? taken : NULL;
}

/* Whether the thread holds pairs that it gives back within microseconds. */
static bool is_thread_expected(const struct shelf *shelf)
{
    for (const struct pair *pair = shelf->rested.first; pair; pair = pair->next)
        if (!is_over(pair))
            return true;
    for (const struct pair *pair = shelf->fresh.first; pair; pair = pair->next)
        if (!is_over(pair))
            return true;
    return false;
}

static bool is_thread_binding(const struct shelf *shelf)
{
    for (const struct pair *pair = shelf->fresh.first; pair; pair = pair->next)
        if (pair_state(pair) == PAIR_BINDING)
            return true;
    return false;
}

static enum ports_outcome take_last(struct ports *ports, struct relay *relay, struct shelf *shelf, struct pair **pair)
{
    for (int waits = 0;; waits++) {
        bool may_be_early = waits == MOST_WAITS || !is_thread_binding(shelf);
        if (take_fresh(relay, shelf, pair) == PORTS_BOUND)
            return PORTS_BOUND;
        if (may_be_early && (*pair = take_early(ports, relay, shelf)))
            return PORTS_BOUND;
        if (waits == MOST_WAITS || !is_thread_expected(shelf))
            return PORTS_EXHAUSTED;
        relay_wake(relay);
        nanosleep(&(struct timespec){.tv_nsec = WAIT_NS}, NULL);
    }
}

enum ports_outcome ports_take(struct ports *ports, struct relay *relay, const union address *host, struct pair **pair)
{
    struct shelf *shelf = find_shelf(ports, host);
    if (!shelf) {
        errno = ENOMEM;
        return PORTS_FAILED;
    }
    uint64_t now_ns = moment_now_ns();
    reap(ports, shelf, now_ns);
    if ((*pair = take_rested(shelf, now_ns)))
        return PORTS_BOUND;
    enum ports_outcome outcome = take_fresh(relay, shelf, pair);
    if (outcome == PORTS_EXHAUSTED && (outcome = take_new(ports, relay, shelf, pair)) == PORTS_BOUND)
        shelf->ahead = 2 * shelf->ahead + 1 < MOST_AHEAD ? 2 * shelf->ahead + 1 : MOST_AHEAD;
    if (outcome == PORTS_EXHAUSTED)
        return take_last(ports, relay, shelf, pair);
    if (outcome == PORTS_BOUND) {
        ask_ahead(ports, relay, shelf);
    } else {
        int error = errno;
        drop_empty(ports, shelf);
        errno = error;
    }
    return outcome;
}

void ports_give_back(struct pair *pair)
{
    join(&pair->shelf->rested, pair);
}

void ports_forsake(struct pair *pair)
{
    pair_become(pair, PAIR_IDLE);
    join(&pair->shelf->rested, pair);
}
