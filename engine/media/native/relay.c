#define _GNU_SOURCE
#include "relay.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "forward.h"
#include "digits.h"
#include "ear.h"
#include "mix.h"
#include "moment.h"
#include "noise.h"
#include "player.h"
#include "recorder.h"
#include "report.h"
#include "rest.h"

enum { EVENTS = 256, PRIORITY = 10, MOST_TICKS_AT_ONCE = 5, MOST_IDLE_PAIRS = 2048 };

uint64_t relay_chance(struct relay *relay)
{
    relay->chance ^= relay->chance >> 12;
    relay->chance ^= relay->chance << 25;
    relay->chance ^= relay->chance >> 27;
    return (relay->chance * UINT64_C(2685821657736338717)) >> 16;
}

/* Ticks only while there are legs or pairs: an idle office wakes nobody. */
static void set_timer(struct relay *relay)
{
    bool must_run = relay->legs > 0 || relay->idle_pairs > 0;
    if (relay->timer_runs == must_run)
        return;
    relay->timer_runs = must_run;
    long period_ns = relay->timer_runs ? RELAY_TICK_MS * 1000000L : 0;
    struct itimerspec period = {.it_interval.tv_nsec = period_ns, .it_value.tv_nsec = period_ns};
    timerfd_settime(relay->timer, 0, &period, NULL);
}

static void open_leg(struct relay *relay, struct leg *leg)
{
    rest_end(relay, leg->pair);
    leg->pair->rtp.leg = leg->pair->rtcp.leg = leg;
    relay->legs++;
    report_schedule(relay, leg, true);
}

static void close_leg(struct relay *relay, struct leg *leg)
{
    player_end(leg);
    digits_stop(leg);
    noise_end(leg);
    leg_disconnect(leg);
    mix_leave(leg);
    if (leg->ear) {
        recorder_lose(relay, leg);
        ear_listen(relay, leg, false);
    }
    if (leg->account.sent_packets > 0)
        report_send(relay, leg, true);
    list_leave(&leg->report_link);
    relay->legs--;
    rest_begin(relay, leg->pair);
    leg_free(leg);
}

static void obey(struct relay *relay, struct command *command)
{
    struct leg *leg = command->leg;
    switch (command->kind) {
    case COMMAND_PREPARE:
        rest_prepare(relay, command->pair);
        break;
    case COMMAND_OPEN:
        open_leg(relay, leg);
        break;
    case COMMAND_PLAN:
        leg_plan(leg, command->plan);
        mix_review(leg);
        break;
    case COMMAND_CONNECT:
        player_stop(leg);
        player_stop(command->other);
        mix_drain(relay, leg, command->other);
        mix_leave(leg);
        mix_leave(command->other);
        leg_connect(leg, command->other);
        break;
    case COMMAND_DISCONNECT:
        player_end(leg);
        mix_leave(leg);
        leg_disconnect(leg);
        break;
    case COMMAND_PLAY:
        player_begin(relay, leg, command->clip, command->repeats, command->serial);
        break;
    case COMMAND_STOP_PLAYING:
        player_stop(leg);
        break;
    case COMMAND_LISTEN:
        leg->events.listens = command->events;
        ear_listen(relay, leg, command->tones);
        break;
    case COMMAND_SEND_DIGITS:
        digits_send(relay, leg, command->digits, command->tone_ms, command->gap_ms);
        break;
    case COMMAND_JOIN:
        leg_disconnect(leg);
        player_stop(leg);
        mix_join(relay, command->mix, leg, command->heard, command->heard_count);
        mix_release(command->mix);
        break;
    case COMMAND_LEAVE:
        mix_leave(leg);
        break;
    case COMMAND_RECORD:
        recorder_begin(relay, command->recorder);
        break;
    case COMMAND_STOP_RECORDING:
        recorder_end(command->recorder);
        recorder_release(command->recorder);
        break;
    case COMMAND_CLOSE:
        close_leg(relay, leg);
        break;
    case COMMAND_QUIT:
        relay->is_quitting = true;
        break;
    }
}

void relay_obey(struct relay *relay)
{
    struct command *newest = atomic_exchange_explicit(&relay->commands, NULL, memory_order_acquire);
    struct command *oldest = NULL;
    while (newest) {
        struct command *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest) {
        struct command *next = oldest->next;
        obey(relay, oldest);
        free(oldest->plan);
        free(oldest->heard);
        free(oldest->digits);
        free(oldest);
        oldest = next;
    }
    set_timer(relay);
}

static void tick(struct relay *relay)
{
    uint64_t ticks = 0;
    if (read(relay->timer, &ticks, sizeof ticks) != sizeof ticks)
        return;
    relay->now_ns = moment_now_ns();
    relay_obey(relay);
    /* After a stall the clips catch up, but not with a burst that no jitter buffer takes. */
    for (unsigned i = 0; i < ticks && i < MOST_TICKS_AT_ONCE; i++) {
        player_tick(relay);
        ear_tick(relay);
        mix_tick(relay);
        noise_tick(relay);
        recorder_tick(relay);
        digits_tick(relay);
        report_tick(relay);
    }
    rest_tick(relay);
    set_timer(relay);
}

static void heed_wake(struct relay *relay)
{
    uint64_t wakes;
    (void)!read(relay->wake, &wakes, sizeof wakes);
    relay->now_ns = moment_now_ns();
    relay_obey(relay);
}

static void *run(void *context)
{
    struct relay *relay = context;
    struct epoll_event events[EVENTS];
    while (!relay->is_quitting) {
        int count = epoll_wait(relay->poll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == &relay->wake)
                heed_wake(relay);
            else if (events[i].data.ptr == &relay->timer)
                tick(relay);
            else
                forward_from(relay, events[i].data.ptr);
        }
        rest_bury(relay);
    }
    return NULL;
}

static bool begin_thread(struct relay *relay)
{
    sigset_t all, before;
    sigfillset(&all);
    /* Signals are the main thread's: Python's handlers must never run here. */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&relay->thread, NULL, run, relay);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) {
        errno = error;
        return false;
    }
    pthread_setname_np(relay->thread, "media");
    struct sched_param priority = {.sched_priority = PRIORITY};
    relay->is_real_time = pthread_setschedparam(relay->thread, SCHED_RR, &priority) == 0;
    return true;
}

static bool open_descriptors(struct relay *relay)
{
    relay->poll = epoll_create1(EPOLL_CLOEXEC);
    relay->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    relay->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (!notices_begin(&relay->notices) || relay->poll < 0 || relay->wake < 0 || relay->timer < 0)
        return false;
    struct epoll_event wake = {.events = EPOLLIN, .data.ptr = &relay->wake};
    struct epoll_event timer = {.events = EPOLLIN, .data.ptr = &relay->timer};
    return epoll_ctl(relay->poll, EPOLL_CTL_ADD, relay->wake, &wake) == 0 &&
           epoll_ctl(relay->poll, EPOLL_CTL_ADD, relay->timer, &timer) == 0;
}

static void release(struct relay *relay)
{
    int error = errno;
    if (relay->poll >= 0)
        close(relay->poll);
    if (relay->wake >= 0)
        close(relay->wake);
    if (relay->timer >= 0)
        close(relay->timer);
    notices_end(&relay->notices);
    free(relay);
    errno = error;
}

static void lay_out(struct relay *relay)
{
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    relay->now_ns = moment_now_ns();
    relay->unix_offset_ns = (uint64_t)wall.tv_sec * 1000000000u + (uint64_t)wall.tv_nsec - relay->now_ns;
    relay->chance = relay->unix_offset_ns ^ relay->now_ns ^ (uintptr_t)relay;
    for (int i = 0; i < RELAY_WHEEL; i++)
        list_begin(&relay->wheel[i]);
    list_begin(&relay->players);
    list_begin(&relay->senders);
    list_begin(&relay->quiet);
    list_begin(&relay->ears);
    list_begin(&relay->mixes);
    list_begin(&relay->recorders);
    list_begin(&relay->idle);
    list_begin(&relay->leaving);
}

/* A quarter of the files that the process may open is the most that may rest. */
static unsigned most_idle_pairs(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur / 8 > MOST_IDLE_PAIRS)
        return MOST_IDLE_PAIRS;
    return (unsigned)(files.rlim_cur / 8);
}

struct relay *relay_start(uint64_t rest_ns)
{
    struct relay *relay = calloc(1, sizeof *relay);
    if (!relay)
        return NULL;
    lay_out(relay);
    relay->rest_ns = rest_ns;
    relay->most_idle_pairs = most_idle_pairs();
    relay->process = getpid();
    if (!open_descriptors(relay) || !begin_thread(relay)) {
        release(relay);
        return NULL;
    }
    return relay;
}

/* Mixes end with their legs; recordings of mixes would outlive them. */
static void end_recordings(struct relay *relay)
{
    while (!list_is_empty(&relay->recorders))
        recorder_end(LIST_OWNER(relay->recorders.next, struct recorder, link));
}

void relay_stop(struct relay *relay)
{
    if (relay->process == getpid()) {
        /* Without memory for the command there is no orderly way out; the sockets end with the process. */
        if (!relay_command(relay, &(struct command){.kind = COMMAND_QUIT}))
            return;
        relay_wake(relay);
        pthread_join(relay->thread, NULL);
        relay_obey(relay);
        end_recordings(relay);
        rest_bury(relay);
    }
    release(relay);
}

static bool watch_port(struct relay *relay, struct port *port)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = port};
    return epoll_ctl(relay->poll, EPOLL_CTL_ADD, port->fd, &event) == 0;
}

bool relay_watch(struct relay *relay, struct pair *pair)
{
    return watch_port(relay, &pair->rtp) && watch_port(relay, &pair->rtcp);
}

void relay_wake(struct relay *relay)
{
    uint64_t one = 1;
    (void)!write(relay->wake, &one, sizeof one);
}

bool relay_command(struct relay *relay, const struct command *given)
{
    struct command *command = malloc(sizeof *command);
    if (!command)
        return false;
    *command = *given;
    command->next = atomic_load_explicit(&relay->commands, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&relay->commands, &command->next, command, memory_order_release,
                                                  memory_order_relaxed))
        ;
    return true;
}
