/* Speaks for many phones: sends RTP of 172 octets every 20 ms for each and measures what comes back.
 *
 * rtpload HOST[,HOST] PHONES WARM_MS MEASURE_MS prints its sockets' ports on a line (phone n uses socket n modulo their
 * number; with two hosts, IPv4 or IPv6, every other phone is on the second), reads one "HOST PORT" line a phone with where to send, and prints sent, received, and the delay's
 * percentiles in microseconds, from just before the send to the kernel's receive stamp. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "pace.h"

enum {
    SOCKETS = 16,
    BATCH = 32,
    SIZE = 172,
    SLOTS = 20, /* of a millisecond: a packet time */
    BUCKET_US = 5,
    BUCKETS = 200000,
    GRACE_MS = 500,
};

static const uint64_t MS = 1000000;

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct phone {
    union address target;
    uint16_t sequence;
    uint32_t timestamp;
};

struct mark { /* what a payload carries */
    uint64_t sent_ns;
    uint32_t is_measured;
};

static int sockets[SOCKETS];
static struct phone *phones;
static int phone_count;
static uint64_t sent, received;
static uint32_t delays[BUCKETS];

static socklen_t size_of(const union address *address)
{
    return address->any.sa_family == AF_INET6 ? sizeof address->v6 : sizeof address->v4;
}

static union address read_address(const char *host, uint16_t port)
{
    union address address = {0};
    if (inet_pton(AF_INET, host, &address.v4.sin_addr) == 1)
        address.v4.sin_family = AF_INET;
    else if (inet_pton(AF_INET6, host, &address.v6.sin6_addr) == 1)
        address.v6.sin6_family = AF_INET6;
    else
        fail(host);
    address.v4.sin_port = htons(port); /* at the same place in both */
    return address;
}

static void open_sockets(char *hosts)
{
    const char *host[2] = {strtok(hosts, ","), strtok(NULL, ",")};
    for (int i = 0; i < SOCKETS; i++) {
        union address local = read_address(i % 2 && host[1] ? host[1] : host[0], 0);
        socklen_t size = size_of(&local);
        int buffer = 8 << 20, on = 1;
        sockets[i] = socket(local.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        if (sockets[i] < 0 || bind(sockets[i], &local.any, size) < 0 || getsockname(sockets[i], &local.any, &size) < 0 ||
            setsockopt(sockets[i], SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) < 0)
            fail("socket");
        if (setsockopt(sockets[i], SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) < 0)
            (void)setsockopt(sockets[i], SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
        printf("%d ", ntohs(local.v4.sin_port));
    }
    printf("\n");
    fflush(stdout);
}

static void read_targets(void)
{
    char host[64];
    int port;
    for (int i = 0; i < phone_count; i++) {
        if (scanf("%63s %d", host, &port) != 2)
            fail("targets");
        phones[i].target = read_address(host, (uint16_t)port);
    }
}

static void fill(uint8_t *packet, int index, uint64_t now_ns, int is_measured)
{
    struct phone *phone = &phones[index];
    struct mark mark = {.sent_ns = now_ns, .is_measured = (uint32_t)is_measured};
    uint32_t words[2] = {htonl(phone->timestamp), htonl(0x10000u + (uint32_t)index)};
    uint16_t sequence = htons(phone->sequence);
    packet[0] = 0x80;
    packet[1] = 8;
    memcpy(packet + 2, &sequence, 2);
    memcpy(packet + 4, words, 8);
    memcpy(packet + 12, &mark, sizeof mark);
    phone->sequence++;
    phone->timestamp += 160;
}

/* Sends for every phone of one socket whose turn this slot is. */
static void send_slot(int socket_index, int slot, int is_measured)
{
    static uint8_t packet[BATCH][SIZE];
    struct iovec space[BATCH];
    struct mmsghdr messages[BATCH];
    int first = socket_index + SOCKETS * slot;
    for (int index = first; index < phone_count;) {
        unsigned count = 0;
        uint64_t now_ns = wall_ns();
        for (; index < phone_count && count < BATCH; index += SOCKETS * SLOTS, count++) {
            fill(packet[count], index, now_ns, is_measured);
            space[count] = (struct iovec){packet[count], SIZE};
            messages[count].msg_hdr = (struct msghdr){
                .msg_name = &phones[index].target, .msg_namelen = size_of(&phones[index].target),
                .msg_iov = &space[count], .msg_iovlen = 1};
        }
        if (is_measured)
            sent += count;
        (void)sendmmsg(sockets[socket_index], messages, count, 0);
    }
}

static uint64_t stamp_of(struct msghdr *message)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec at;
            memcpy(&at, CMSG_DATA(c), sizeof at);
            return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
        }
    return wall_ns();
}

static void take(struct mmsghdr *message, const uint8_t *packet)
{
    struct mark mark;
    if (message->msg_len != SIZE || packet[1] >= 200)
        return;
    memcpy(&mark, packet + 12, sizeof mark);
    if (!mark.is_measured)
        return;
    uint64_t at = stamp_of(&message->msg_hdr);
    uint64_t bucket = at > mark.sent_ns ? (at - mark.sent_ns) / 1000 / BUCKET_US : 0;
    delays[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
    received++;
}

static void drain(int fd)
{
    static uint8_t packet[BATCH][SIZE + 100];
    static char control[BATCH][64];
    struct iovec space[BATCH];
    struct mmsghdr messages[BATCH];
    for (;;) {
        for (int i = 0; i < BATCH; i++) {
            space[i] = (struct iovec){packet[i], sizeof packet[i]};
            messages[i].msg_hdr = (struct msghdr){
                .msg_iov = &space[i], .msg_iovlen = 1, .msg_control = control[i], .msg_controllen = sizeof control[i]};
        }
        int count = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < count; i++)
            take(&messages[i], packet[i]);
        if (count < BATCH)
            return;
    }
}

static void run(uint64_t warm_ms, uint64_t measure_ms)
{
    uint64_t begin = wall_ns();
    uint64_t end_ms = warm_ms + measure_ms;
    for (uint64_t ms = 0; ms < end_ms + GRACE_MS; ms++) {
        for (int i = 0; i < SOCKETS; i++) {
            if (ms < end_ms)
                send_slot(i, (int)(ms % SLOTS), ms >= warm_ms);
            drain(sockets[i]);
        }
        uint64_t next = begin + (ms + 1) * MS;
        if (ms + 1 == warm_ms || ms + 1 == end_ms) {
            /* The driver reads the relay's processor time at these lines. */
            printf(ms + 1 == warm_ms ? "begin\n" : "end\n");
            fflush(stdout);
        }
        struct timespec at = {.tv_sec = (time_t)(next / 1000000000u), .tv_nsec = (long)(next % 1000000000u)};
        clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &at, NULL);
    }
}

static uint64_t percentile_us(double share)
{
    uint64_t wanted = (uint64_t)((double)received * share), seen = 0;
    for (uint64_t bucket = 0; bucket < BUCKETS; bucket++) {
        seen += delays[bucket];
        if (seen > wanted)
            return bucket * BUCKET_US;
    }
    return (uint64_t)BUCKETS * BUCKET_US;
}

int main(int words, char **word)
{
    if (words != 5)
        return 2;
    phone_count = atoi(word[2]);
    phones = calloc((size_t)phone_count, sizeof *phones);
    if (!phones)
        fail("memory");
    open_sockets(word[1]);
    read_targets();
    run(strtoull(word[3], NULL, 10), strtoull(word[4], NULL, 10));
    printf("%llu %llu %llu %llu %llu\n", (unsigned long long)sent, (unsigned long long)received,
           (unsigned long long)percentile_us(0.5), (unsigned long long)percentile_us(0.99),
           (unsigned long long)percentile_us(1.0 - 1e-9));
    return 0;
}
