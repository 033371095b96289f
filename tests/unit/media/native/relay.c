/* The whole relay under the sanitizers: sound calls, then garbage on all its ports, then an orderly end. */
#define _GNU_SOURCE
#include "relay.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "mix.h"
#include "ports.h"
#include "recorder.h"

enum { FIRST_PORT = 24000, LAST_PORT = 24099, MOST_WAITS = 10000, DATAGRAMS = 40000, LEGS = 12, TURNS = 20000, REST_NS = 2000000 };

/* A loopback address of this process alone: several test runs go side by side. */
static union address at(uint16_t port)
{
    union address address;
    char host[INET_ADDRSTRLEN];
    unsigned process = (unsigned)getpid();
    snprintf(host, sizeof host, "127.%u.%u.9", 64 + process / 256 % 64, process % 256);
    CHECK(address_read(&address, host, port));
    return address;
}

static int phone(uint16_t *port)
{
    union address local = at(0);
    socklen_t size = sizeof local;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct timeval limit = {.tv_sec = 5};
    CHECK(fd >= 0 && bind(fd, &local.any, address_size(&local)) == 0);
    CHECK(getsockname(fd, &local.any, &size) == 0);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
    *port = address_port(&local);
    return fd;
}

static struct leg *open_leg(struct relay *relay, struct ports *ports, uint16_t peer, uint8_t event)
{
    union address host = at(0);
    struct pair *pair;
    enum ports_outcome outcome = ports_take(ports, relay, &host, &pair);
    /* Pairs of closed legs are free once the relay's thread has had its turn, on a busy machine later. */
    for (int waits = 0; outcome == PORTS_EXHAUSTED && waits < MOST_WAITS; waits++) {
        usleep(1000);
        outcome = ports_take(ports, relay, &host, &pair);
    }
    CHECK(outcome == PORTS_BOUND && pair->number % 2 == 0);
    struct leg *leg = leg_make(pair);
    struct plan *plan = calloc(1, sizeof *plan);
    CHECK(leg && plan);
    *plan = (struct plan){.rtp = at(peer), .rtcp = at(peer), .formats = 2, .sends = true, .receives = true,
                          .packet_ms = 20, .format = {{8, 8000, "PCMA"}, {event, 8000, "telephone-event"}}};
    CHECK(relay_command(relay, &(struct command){.kind = COMMAND_OPEN, .leg = leg}));
    relay_wake(relay);
    CHECK(relay_command(relay, &(struct command){.kind = COMMAND_PLAN, .leg = leg, .plan = plan}));
    return leg;
}

static void close_leg(struct relay *relay, struct leg *leg)
{
    struct pair *pair = leg->pair;
    CHECK(relay_command(relay, &(struct command){.kind = COMMAND_CLOSE, .leg = leg}));
    ports_give_back(pair);
}

static void send_to(int fd, uint16_t port, const uint8_t *packet, size_t size)
{
    union address target = at(port);
    CHECK(sendto(fd, packet, size, 0, &target.any, address_size(&target)) == (ssize_t)size);
}

static void talk(int from, int to, const struct leg *leg, unsigned sequence)
{
    uint8_t packet[172] = {0x80}, heard[2048];
    struct rtp_header header = {.payload_type = 101, .sequence = (uint16_t)sequence, .timestamp = sequence * 160};
    rtp_write(packet, &header);
    send_to(from, leg->pair->number, packet, sizeof packet);
    CHECK(recv(to, heard, sizeof heard, 0) == 172 && rtp_read(&header, heard, 172) && header.payload_type == 96);
}

static void bombard(int fd, const struct leg *one, const struct leg *other)
{
    struct chance chance = {99};
    uint8_t packet[3000];
    for (int i = 0; i < DATAGRAMS; i++) {
        const struct leg *leg = i & 1 ? one : other;
        size_t size = chance_packet(&chance, packet, i % 100 ? 600 : sizeof packet);
        send_to(fd, (uint16_t)(leg->pair->number + (i & 2 ? 1 : 0)), packet, size);
    }
}

/* What a command of a kind carries; the engine's side of each. */
static void furnish(struct command *command, struct chance *chance, struct mix *mix)
{
    switch (command->kind) {
    case COMMAND_PLAY:
        command->clip = clip_make((int16_t[200]){0}, 200);
        break;
    case COMMAND_LISTEN:
        command->events = chance_next(chance) & 1;
        command->tones = chance_next(chance) & 1;
        break;
    case COMMAND_SEND_DIGITS:
        command->digits = strdup("12*#D");
        command->tone_ms = command->gap_ms = 40;
        break;
    case COMMAND_JOIN:
        command->mix = mix_hold(mix);
        command->heard_count = chance_next(chance) & 1 ? MIX_EVERYBODY : 1;
        command->heard = command->heard_count > 0 ? calloc(1, sizeof *command->heard) : NULL;
        break;
    default:
        break;
    }
}

/* A recording of whatever there is, read and ended while the thread is at it. */
static void record(struct relay *relay, struct chance *chance, struct leg *one, struct leg *other, struct mix *mix)
{
    int16_t samples[400];
    uint32_t dice = chance_next(chance);
    struct recorder *recorder = recorder_make(dice & 1 ? one : NULL, other, dice & 2 ? mix : NULL, dice & 4);
    CHECK(recorder);
    CHECK(relay_command(relay, &(struct command){.kind = COMMAND_RECORD, .recorder = recorder_hold(recorder)}));
    recorder_read(recorder, samples, 400);
    CHECK(relay_command(relay, &(struct command){.kind = COMMAND_STOP_RECORDING, .recorder = recorder_hold(recorder)}));
    recorder_release(recorder);
}

static unsigned hear_notices(struct relay *relay)
{
    struct notice notice;
    unsigned count = 0;
    notices_heed(&relay->notices);
    while (notices_take(&relay->notices, &notice))
        count++;
    return count;
}

/* Legs come and go, are joined, parted, mixed, recorded, listened to and played to while packets meet them: nothing may touch a closed one. */
static void churn(struct relay *relay, struct ports *ports, int fd, uint16_t peer)
{
    struct leg *legs[LEGS] = {0};
    struct chance chance = {4711};
    uint8_t packet[600];
    struct mix *mix = mix_make();
    unsigned told = 0;
    CHECK(mix);
    for (int turn = 0; turn < TURNS; turn++) {
        struct leg **one = &legs[chance_next(&chance) % LEGS], **other = &legs[chance_next(&chance) % LEGS];
        struct command command = {.kind = COMMAND_CLOSE, .leg = *one, .other = *other};
        static const enum command_kind kinds[] = {COMMAND_CONNECT, COMMAND_CONNECT, COMMAND_DISCONNECT, COMMAND_PLAY,
                                                  COMMAND_STOP_PLAYING, COMMAND_CLOSE, COMMAND_LISTEN,
                                                  COMMAND_SEND_DIGITS, COMMAND_JOIN, COMMAND_JOIN, COMMAND_LEAVE,
                                                  COMMAND_RECORD};
        if (!*one) {
            *one = open_leg(relay, ports, peer, 101);
            continue;
        }
        struct account account;
        leg_read(*one, &account);
        CHECK(account.reception.received <= account.reception.packets);
        send_to(fd, (*one)->pair->number, packet, chance_packet(&chance, packet, sizeof packet));
        command.kind = kinds[chance_next(&chance) % (sizeof kinds / sizeof kinds[0])];
        told += hear_notices(relay);
        if (command.kind == COMMAND_CONNECT && !*other)
            continue;
        if (command.kind == COMMAND_RECORD) {
            record(relay, &chance, *one, *other, mix);
            continue;
        }
        furnish(&command, &chance, mix);
        if (command.kind == COMMAND_CLOSE) {
            close_leg(relay, *one);
            *one = NULL;
            continue;
        }
        CHECK(relay_command(relay, &command));
    }
    for (int i = 0; i < LEGS; i++)
        if (legs[i])
            close_leg(relay, legs[i]);
    mix_release(mix);
    printf("%u notices\n", told);
}

void test_relay(void)
{
    struct ports ports;
    struct relay *relay = relay_start(REST_NS);
    uint16_t one_port, other_port;
    int one_phone = phone(&one_port), other_phone = phone(&other_port);
    CHECK(relay && ports_begin(&ports, FIRST_PORT, LAST_PORT));
    struct leg *one = open_leg(relay, &ports, one_port, 101), *other = open_leg(relay, &ports, other_port, 96);
    CHECK(relay_command(relay, &(struct command){.kind = COMMAND_CONNECT, .leg = one, .other = other}));
    for (unsigned i = 0; i < 50; i++)
        talk(one_phone, other_phone, one, i);
    bombard(one_phone, one, other);
    int16_t silence[800] = {0};
    struct clip *clip = clip_make(silence, 800);
    CHECK(relay_command(relay, &(struct command){.kind = COMMAND_PLAY, .leg = one, .clip = clip, .repeats = true}));
    bombard(other_phone, one, other);
    CHECK(relay_command(relay, &(struct command){.kind = COMMAND_STOP_PLAYING, .leg = one}));
    struct account account;
    leg_read(one, &account);
    CHECK(account.reception.packets >= 50 && account.malformed > 0);
    close_leg(relay, one);
    close_leg(relay, other);
    churn(relay, &ports, one_phone, one_port);
    relay_stop(relay);
    ports_end(&ports);
    close(one_phone);
    close(other_phone);
    printf("%d datagrams\n", 2 * DATAGRAMS);
}
